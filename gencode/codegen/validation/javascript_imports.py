"""Whether the imports of JavaScript and TypeScript files find what they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, splitext

from gencode.codegen.validation.finding import Finding, Rule, shown
from gencode.codegen.validation.import_findings import at, undeclared, undeclared_at, users
from gencode.codegen.validation.manifest import Declared
from gencode.codegen.validation.npm_manifests import (
    MANIFESTS,
    Alias,
    aliases,
    configured_names,
    npm_packages,
)
from gencode.codegen.validation.npm_names import is_provided, package_of, provides
from gencode.codegen.validation.project import Project, ancestors, join
from gencode.codegen.validation.symbols import Import

_SUFFIXES = (
    *("", ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json", ".vue", ".svelte"),
    *(
        ".astro",
        ".css",
        ".scss",
        ".sass",
        ".less",
        ".node",
        ".wasm",
        ".web.js",
        ".native.js",
        ".ios.js",
        ".server.ts",
    ),
    *("/index.ts", "/index.tsx", "/index.d.ts", "/index.js", "/index.jsx", "/index.mjs", "/index.cjs"),
    *("/index.vue", "/index.json", "/package.json"),
)
_WRITTEN_AS = {
    ".js": (".ts", ".tsx", ".d.ts", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
# Folders and names that a build writes; what is in them is nobody's to plan.
_BUILT = re.compile(
    r"(?:^|/)(?:dist|build|out|lib|bin|es|esm|cjs|umd|pkg|generated|__generated__|gen|\.next|\.nuxt|\.svelte-kit"
    r"|\.output|\.astro|node_modules|vendor|target|coverage|bower_components|\+types|\$types|_generated|\.prisma|wasm"
    r"|paraglide|static|assets|public)(?:/|$)|\.gen(?:\.|$)|\.generated(?:\.|$)|_pb(?:\.|$)"
)
_OWN_ROOTS = ("@/", "~/")
_PLAIN_ROOTS = ("", "src", "app", "resources/js", "client/src", "frontend/src")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    project: Project
    packages: Declared
    aliases: tuple[Alias, ...]
    configured: str
    has_manifest: bool


def javascript_findings(project: Project) -> Iterator[Finding]:
    files = [*project.in_language("javascript"), *project.in_language("component")]
    if not files:
        return
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in files:
        for imported in symbols.imports:
            if imported.optional or "!" in imported.module or not imported.module:
                continue
            if imported.module.startswith("."):
                yield from _relative(layout, path, imported)
            elif not imported.module.startswith(("/", "#", "$")):
                yield from _named(layout, path, imported, missing)
    yield from (_undeclared(manifest, package, places) for (manifest, package), places in missing.items())


def _layout(project: Project) -> _Layout:
    return _Layout(
        project=project,
        packages=npm_packages(project.files),
        aliases=aliases(project.files),
        configured=configured_names(project.files),
        has_manifest=any(path.rpartition("/")[2] in MANIFESTS for path in project.files),
    )


def _relative(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    place = join(dirname(path) or ".", _bare(imported.module))
    file = _resolve(layout.project, place)
    if file is not None:
        yield from _names(layout, path, imported, file)
    elif not _BUILT.search(_bare(imported.module)) and not _BUILT.search(place):
        yield _unresolved(path, imported)


def _named(
    layout: _Layout, path: str, imported: Import, missing: dict[tuple[str, str], list[str]]
) -> Iterator[Finding]:
    """An import by a name: of the project's own (alias, base folder) or of a package."""
    module = _bare(imported.module)
    file = next(
        (f for place in _own_places(layout, path, module) if (f := _resolve(layout.project, place))), None
    )
    if file is not None:
        yield from _names(layout, path, imported, file)
    elif module.startswith(_OWN_ROOTS):
        if not _BUILT.search(module):
            yield _unresolved(path, imported)
    elif not _is_known(layout, module):
        manifest = layout.project.nearest(path, MANIFESTS) or path
        missing.setdefault((manifest, package_of(module)), []).append(f"{path}:{imported.line}")


def _bare(module: str) -> str:
    return module.partition("?")[0]


def _own_places(layout: _Layout, path: str, module: str) -> Iterator[str]:
    for alias in layout.aliases:
        if module == alias.prefix if alias.is_exact else module.startswith(alias.prefix):
            rest = "" if alias.is_exact else module[len(alias.prefix) :]
            yield from (join(target, rest) for target in alias.targets)
    if module.startswith(_OWN_ROOTS):
        for folder in ancestors(path):
            yield from (join(folder, root, module[2:]) for root in _PLAIN_ROOTS)


def _is_known(layout: _Layout, module: str) -> bool:
    package = package_of(module)
    if is_provided(module) or layout.packages.open or provides(layout.packages.packages, package):
        return True
    if any(
        not alias.is_exact and alias.prefix and module.startswith(alias.prefix) for alias in layout.aliases
    ):
        return True  # a name of their own for a place we do not see
    first = re.escape(module.partition("/")[0])
    if re.search(rf"""["'^]{first}[/"'$(*]|\b{first}\s*:""", layout.configured) and not module.startswith(
        "@types"
    ):
        return True
    return _is_declared_module(layout.project, module)


def _is_declared_module(project: Project, module: str) -> bool:
    """`declare module "x"` in some file of the project."""
    declared = re.compile(rf"""declare\s+module\s+["']{re.escape(module)}["']""")
    return any(path.endswith(".ts") and declared.search(text) for path, text in project.files.items())


def _resolve(project: Project, place: str) -> str | None:
    """The file that a path without its suffix means; None when there is none."""
    for suffix in _SUFFIXES:
        if (candidate := (place + suffix).lstrip("/")) in project.files:
            return candidate
    stem, suffix = splitext(place)
    return next(
        (stem + other for other in _WRITTEN_AS.get(suffix, ()) if stem + other in project.files), None
    )


def _names(layout: _Layout, path: str, imported: Import, file: str) -> Iterator[Finding]:
    symbols = layout.project.symbols(file)
    if "?" in imported.module:
        return  # `./x?worker`, `./x?raw`: the bundler makes a module of its own from the file
    if symbols.language != "javascript" or symbols.open:
        return
    for name in imported.names:
        if name not in symbols.names:
            what = "has no default export" if name == "default" else f"does not export {name!r}"
            message = f"{path} imports {name!r} from {shown(imported.module)!r}, but {file} {what}"
            yield at(path, imported, Rule.MISSING_NAME, f"{message}: use what it exports")


def _unresolved(path: str, imported: Import) -> Finding:
    message = f"{path} imports {shown(imported.module)!r}, but the project has no such file"
    return at(path, imported, Rule.UNRESOLVED, f"{message}: correct the path, or do without it")


def _undeclared(manifest: str, package: str, places: list[str]) -> Finding:
    by = users(places)
    if manifest.endswith("package.json"):
        message = f"{manifest} does not declare {package!r}, which {by} imports: add it to its dependencies"
        return undeclared(manifest, message)
    message = f"{by} imports the package {package!r}, but no package.json declares it"
    return undeclared_at(manifest, places, message)
