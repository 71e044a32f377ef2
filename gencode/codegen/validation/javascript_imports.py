"""Checks the imports of JavaScript and TypeScript files: files, names in them, packages in manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, splitext

from gencode.codegen.validation.file_analysis import Import
from gencode.codegen.validation.findings import (
    Finding,
    Rule,
    excerpt,
    listed,
    undeclared_dependency,
    undeclared_without_manifest,
)
from gencode.codegen.validation.npm_manifests import (
    MANIFESTS,
    PathAlias,
    bundler_configuration,
    declared_npm_packages,
    path_aliases,
)
from gencode.codegen.validation.npm_package_names import is_provided, package_of, provides
from gencode.codegen.validation.project import DeclaredPackages, Project, ancestors, join

_SUFFIXES = (
    *("", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json", ".vue", ".svelte"),
    *(".astro", ".css", ".scss", ".sass", ".less", ".node", ".wasm"),
    *(".web.js", ".native.js", ".ios.js", ".server.ts"),
    *("/index.ts", "/index.tsx", "/index.d.ts", "/index.js", "/index.jsx", "/index.mjs", "/index.cjs"),
    *("/index.vue", "/index.json", "/package.json"),
)
_SOURCES_OF = {
    ".js": (".ts", ".tsx", ".d.ts", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
_BUILD_OUTPUT = re.compile(
    r"(?:^|/)(?:dist|build|out|lib|bin|es|esm|cjs|umd|pkg|generated|__generated__|gen|\.next|\.nuxt|\.svelte-kit"
    r"|\.output|\.astro|node_modules|vendor|target|coverage|bower_components|\+types|\$types|_generated|\.prisma|wasm"
    r"|paraglide|static|assets|public)(?:/|$)|\.gen(?:\.|$)|\.generated(?:\.|$)|_pb(?:\.|$)"
)
"""Directories and names that a build writes; no plan lists their files."""
_ALIAS_ROOTS = ("@/", "~/")
_SOURCE_ROOTS = ("", "src", "app", "resources/js", "client/src", "frontend/src")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    project: Project
    packages: DeclaredPackages
    aliases: tuple[PathAlias, ...]
    configuration: str


def javascript_import_findings(project: Project) -> Iterator[Finding]:
    files = [*project.in_language("javascript"), *project.in_language("component")]
    if not files:
        return
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in files:
        for imported in symbols.imports:
            if imported.is_optional or "!" in imported.module or not imported.module:
                continue
            if imported.module.startswith("."):
                yield from _relative_import_findings(layout, path, imported)
            elif not imported.module.startswith(("/", "#", "$")):
                yield from _bare_import_findings(layout, path, imported, missing)
    yield from (_undeclared(*key, locations) for key, locations in missing.items())


def _layout(project: Project) -> _Layout:
    return _Layout(
        project=project,
        packages=declared_npm_packages(project.files),
        aliases=path_aliases(project.files),
        configuration=bundler_configuration(project.files),
    )


def _relative_import_findings(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    target = join(dirname(path) or ".", _without_query(imported.module))
    file = _resolve(layout.project, target)
    if file is not None:
        yield from _missing_name_findings(layout, path, imported, file)
    elif not _BUILD_OUTPUT.search(_without_query(imported.module)) and not _BUILD_OUTPUT.search(target):
        yield _unresolved(path, imported)


def _bare_import_findings(
    layout: _Layout, path: str, imported: Import, missing: dict[tuple[str, str], list[str]]
) -> Iterator[Finding]:
    """A bare specifier means a file of the project (by an alias or a base directory) or a package. Packages
    that are not declared are added to `missing`."""
    module = _without_query(imported.module)
    targets = (_resolve(layout.project, target) for target in _aliased_paths(layout, path, module))
    file = next((target for target in targets if target), None)
    if file is not None:
        yield from _missing_name_findings(layout, path, imported, file)
    elif module.startswith(_ALIAS_ROOTS):
        if not _BUILD_OUTPUT.search(module):
            yield _unresolved(path, imported)
    elif not _is_known(layout, module):
        manifest = layout.project.nearest_file(path, MANIFESTS) or path
        missing.setdefault((manifest, package_of(module)), []).append(f"{path}:{imported.line}")


def _without_query(module: str) -> str:
    return module.partition("?")[0]


def _aliased_paths(layout: _Layout, path: str, module: str) -> Iterator[str]:
    for alias in layout.aliases:
        if module == alias.prefix if alias.is_exact else module.startswith(alias.prefix):
            rest = "" if alias.is_exact else module[len(alias.prefix) :]
            yield from (join(target, rest) for target in alias.targets)
    if module.startswith(_ALIAS_ROOTS):
        for directory in ancestors(path):
            yield from (join(directory, root, module[2:]) for root in _SOURCE_ROOTS)


def _is_known(layout: _Layout, module: str) -> bool:
    if is_provided(module) or not layout.packages.is_complete:
        return True
    return (
        provides(layout.packages.names, package_of(module))
        or _is_aliased(layout, module)
        or _is_declared_module(layout.project, module)
    )


def _is_aliased(layout: _Layout, module: str) -> bool:
    """Whether the project maps the name to a location, in a tsconfig or in the configuration of a bundler."""
    prefixes = tuple(alias.prefix for alias in layout.aliases if alias.prefix and not alias.is_exact)
    if module.startswith(prefixes):
        return True
    first = re.escape(module.partition("/")[0])
    is_configured = re.search(rf"""["'^]{first}[/"'$(*]|\b{first}\s*:""", layout.configuration)
    return is_configured is not None and not module.startswith("@types")


def _is_declared_module(project: Project, module: str) -> bool:
    """Whether any file of the project has `declare module "x"`."""
    declared = re.compile(rf"""declare\s+module\s+["']{re.escape(module)}["']""")
    return any(path.endswith(".ts") and declared.search(text) for path, text in project.files.items())


def _resolve(project: Project, target: str) -> str | None:
    """The file that a path without its suffix means; None when there is none."""
    for suffix in _SUFFIXES:
        if (candidate := (target + suffix).lstrip("/")) in project.files:
            return candidate
    stem, suffix = splitext(target)
    candidates = (stem + other for other in _SOURCES_OF.get(suffix, ()))
    return next((candidate for candidate in candidates if candidate in project.files), None)


def _missing_name_findings(layout: _Layout, path: str, imported: Import, file: str) -> Iterator[Finding]:
    symbols = layout.project.symbols(file)
    if "?" in imported.module:
        return  # `./x?worker`, `./x?raw`: the bundler makes a module of its own from the file
    if symbols.language != "javascript" or symbols.has_unknown_exports:
        return
    for name in imported.names:
        if name not in symbols.names:
            what = "has no default export" if name == "default" else f"does not export {name!r}"
            message = f"{path} imports {name!r} from {excerpt(imported.module)!r}, but {file} {what}"
            yield imported.finding(path, Rule.MISSING_NAME, message, "Use what it exports.")


def _unresolved(path: str, imported: Import) -> Finding:
    message = f"{path} imports {excerpt(imported.module)!r}, but the project has no such file"
    return imported.finding(path, Rule.UNRESOLVED, message, "Correct the path, or do without it.")


def _undeclared(manifest: str, package: str, locations: list[str]) -> Finding:
    by = listed(locations)
    if manifest.endswith("package.json"):
        message = f"{manifest} does not declare {package!r}, which {by} imports"
        return undeclared_dependency(manifest, message)
    message = f"{by} imports the package {package!r}, but no package.json declares it"
    return undeclared_without_manifest(manifest, locations, message)
