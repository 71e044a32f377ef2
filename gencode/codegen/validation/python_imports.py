"""Checks the imports of Python files: modules of the project, names in them, packages in manifests.

The files of a project may be run from several directories (its root, `src`, the directory of a script), so a
module counts as found when it can be imported from any directory of the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from posixpath import dirname

from gencode.codegen.validation.file_analysis import Import
from gencode.codegen.validation.findings import (
    Finding,
    Rule,
    excerpt,
    listed,
    undeclared_dependency,
    undeclared_without_manifest,
)
from gencode.codegen.validation.project import DeclaredPackages, Project, ancestors, join
from gencode.codegen.validation.python_manifests import MANIFESTS, declared_python_packages, is_manifest
from gencode.codegen.validation.python_packages import has_distribution_of, is_provided, provides

_SUFFIXES = (".py", ".pyi", ".pyx", "/__init__.py", "/__init__.pyi")
_LAMBDA_FILE = re.compile(r"lambda|(?:^|/)(?:serverless\.ya?ml|template\.ya?ml|samconfig\.toml|cdk\.json)$")
_LAMBDA_PACKAGES = frozenset({"boto3", "botocore"})
"""Modules of the runtime of AWS Lambda."""
_EXTENSION_SOURCES = (".pyx", "Cargo.toml", ".c", ".cpp", "CMakeLists.txt")
_IMPLICIT_NAMES = frozenset(
    {"*", "__version__", "__doc__", "__file__", "__name__", "__path__", "__all__", "__author__"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """roots           for each top-level module name of the project, the directories it can be imported from
    has_extensions  whether a part of the project is compiled, which may add modules
    runs_on_lambda  whether AWS Lambda runs it
    """

    project: Project
    roots: Mapping[str, Set[str]]
    declared: DeclaredPackages
    has_extensions: bool
    runs_on_lambda: bool


def python_import_findings(project: Project) -> Iterator[Finding]:
    files = list(project.in_language("python"))
    if not files:
        return
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in files:
        for imported in symbols.imports:
            if imported.is_optional:
                continue
            if imported.level:
                yield from _relative_import_findings(layout, path, imported)
                continue
            top = imported.module.partition(".")[0]
            if top in layout.roots and not _is_external(layout, path, top):
                yield from _absolute_import_findings(layout, path, imported)
            elif not _is_declared(layout, top):
                manifest = project.nearest_file(path, MANIFESTS) or _any_manifest(project) or path
                missing.setdefault((manifest, top), []).append(f"{path}:{imported.line}")
    yield from (_undeclared(*key, locations) for key, locations in missing.items())


def _is_external(layout: _Layout, path: str, top: str) -> bool:
    """A directory of the project may have the name of a package that it uses: `adapters/redis`."""
    if has_distribution_of(layout.declared.names, top):
        return True
    reachable = {join(directory, below) for directory in ancestors(path) for below in ("", "src")}
    return reachable.isdisjoint(layout.roots[top]) and provides(layout.declared.names, top)


def _layout(project: Project) -> _Layout:
    roots: dict[str, set[str]] = {}
    for path in project.files:
        if path.endswith((".py", ".pyi", ".pyx")):
            parts = path.rpartition(".")[0].split("/")
            for depth, part in enumerate(parts):
                roots.setdefault(part, set()).add("/".join(parts[:depth]))
    return _Layout(
        project=project,
        roots=roots,
        declared=declared_python_packages(project.files),
        has_extensions=any(path.endswith(_EXTENSION_SOURCES) for path in project.files),
        runs_on_lambda=any(_LAMBDA_FILE.search(path) for path in project.files),
    )


def _relative_import_findings(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    directory = join(dirname(path), *[".."] * (imported.level - 1))
    written = "." * imported.level + imported.module
    if directory.startswith(".."):
        message = f"{path} imports {written!r}, which is above the project's own folder"
        yield imported.finding(path, Rule.UNRESOLVED, message, "Import from the package's top instead.")
        return
    yield from _findings_from_roots(layout, path, imported, written, [directory])


def _absolute_import_findings(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    top = imported.module.partition(".")[0]
    if is_provided(top):
        return  # the project has a file with the name of a standard module: the import is ambiguous
    findings = _findings_from_roots(layout, path, imported, imported.module, sorted(layout.roots[top]))
    if not all(_is_package(layout, root) for root in layout.roots[top]):
        yield from findings


def _is_package(layout: _Layout, directory: str) -> bool:
    """Modules of a package are imported by the package's name or by dots: an absolute import in it, as in
    `backends/anyio.py`, means the library of that name."""
    return bool(directory) and join(directory, "__init__.py") in layout.project.files


def _findings_from_roots(
    layout: _Layout, path: str, imported: Import, written: str, roots: list[str]
) -> Iterator[Finding]:
    """None when some root has the module with all names; else the names that the best root lacks."""
    parts = imported.module.split(".") if imported.module else []
    found = [root for root in roots if _module_file(layout, root, parts) is not None]
    if not found:
        if not _is_built(layout, parts):
            message = f"{path} imports {excerpt(written)!r}, but the project has no such module"
            yield imported.finding(path, Rule.UNRESOLVED, message, "Correct the import, or define it.")
        return
    for name in min((_missing_names(layout, root, parts, imported) for root in found), key=len):
        where = _module_file(layout, found[0], parts) or join(found[0], *parts)
        message = f"{path} imports {name!r} from {excerpt(written)!r}, but {where} does not define it"
        yield imported.finding(path, Rule.MISSING_NAME, message, "Use what it defines.")


def _module_file(layout: _Layout, root: str, parts: list[str]) -> str | None:
    """The file of a module; "" for a package that is a directory only; None when there is neither."""
    module = join(root, *parts)
    for suffix in _SUFFIXES:
        candidate = module + suffix if module else suffix.removeprefix("/")
        if candidate in layout.project.files:
            return candidate
    return "" if module in layout.project.directories or not module else None


def _missing_names(layout: _Layout, root: str, parts: list[str], imported: Import) -> list[str]:
    file = _module_file(layout, root, parts)
    names = [name for name in imported.names if name not in _IMPLICIT_NAMES]
    if file:
        symbols = layout.project.symbols(file)
        if symbols.has_unknown_exports:
            return []
        names = [name for name in names if name not in symbols.names]
    return [name for name in names if not _is_submodule(layout, root, parts, name)]


def _is_submodule(layout: _Layout, root: str, parts: list[str], name: str) -> bool:
    return _module_file(layout, root, [*parts, name]) is not None or _is_built(layout, [name])


def _is_built(layout: _Layout, parts: list[str]) -> bool:
    """Whether a build writes the module: versions, protocol buffers, extensions."""
    last = parts[-1] if parts else ""
    is_extension = layout.has_extensions and last.startswith("_")
    return last in ("_version", "version") or "_pb2" in last or is_extension


def _is_declared(layout: _Layout, top: str) -> bool:
    if is_provided(top) or not layout.declared.is_complete:
        return True
    if top in _LAMBDA_PACKAGES and layout.runs_on_lambda:
        return True
    return provides(layout.declared.names, top)


def _any_manifest(project: Project) -> str | None:
    return next((path for path in sorted(project.files) if is_manifest(path)), None)


def _undeclared(manifest: str, top: str, locations: list[str]) -> Finding:
    by = listed(locations)
    if is_manifest(manifest):
        message = f"{manifest} does not declare the package that provides {top!r}, which {by} imports"
        return undeclared_dependency(manifest, message)
    message = f"{by} imports {top!r}, which neither the project nor Python has and no manifest declares"
    return undeclared_without_manifest(manifest, locations, message)
