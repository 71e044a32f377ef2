"""Whether the imports of Python files find what they name.

A project's files may be run from several folders (its own, `src`, the folder of a script), so a module counts
as found when some folder of the project can be the one to look from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from posixpath import dirname

from gencode.codegen.validation.finding import Finding, Rule, shown
from gencode.codegen.validation.import_findings import at, undeclared, undeclared_at, users
from gencode.codegen.validation.manifest import Declared
from gencode.codegen.validation.project import Project, ancestors, join
from gencode.codegen.validation.python_manifests import MANIFESTS, is_manifest, python_dependencies
from gencode.codegen.validation.python_names import is_named, is_provided, provides
from gencode.codegen.validation.symbols import Import

_SUFFIXES = (".py", ".pyi", ".pyx", "/__init__.py", "/__init__.pyi")
_LAMBDA = re.compile(r"lambda|(?:^|/)(?:serverless\.ya?ml|template\.ya?ml|samconfig\.toml|cdk\.json)$")
_IN_LAMBDA = frozenset({"boto3", "botocore"})  # the runtime of AWS brings them
_ALWAYS = frozenset(
    {"*", "__version__", "__doc__", "__file__", "__name__", "__path__", "__all__", "__author__"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """roots: for each top-level module name of the project, the folders it can be imported from."""

    project: Project
    roots: Mapping[str, Set[str]]
    declared: Declared
    compiled: bool
    """Whether a part of the project is built, so that modules may come out of it."""
    in_lambda: bool


def python_findings(project: Project) -> Iterator[Finding]:
    files = list(project.in_language("python"))
    if not files:
        return
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in files:
        for imported in symbols.imports:
            if imported.optional:
                continue
            if imported.level:
                yield from _relative(layout, path, imported)
                continue
            top = imported.module.partition(".")[0]
            if top in layout.roots and not _is_somebody_elses(layout, path, top):
                yield from _absolute(layout, path, imported)
            elif not _is_declared(layout, top):
                manifest = project.nearest(path, MANIFESTS) or _any_manifest(project) or path
                missing.setdefault((manifest, top), []).append(f"{path}:{imported.line}")
    yield from (_undeclared(manifest, top, places) for (manifest, top), places in missing.items())


def _is_somebody_elses(layout: _Layout, path: str, top: str) -> bool:
    """A folder of the project may be called like a package that it uses: `adapters/redis`."""
    if is_named(layout.declared.packages, top):
        return True
    reachable = {join(folder, below) for folder in ancestors(path) for below in ("", "src")}
    return reachable.isdisjoint(layout.roots[top]) and provides(layout.declared.packages, top)


def _layout(project: Project) -> _Layout:
    roots: dict[str, set[str]] = {}
    for path in project.files:
        if path.endswith((".py", ".pyi", ".pyx")):
            parts = path.rpartition(".")[0].split("/")
            for depth, part in enumerate(parts):
                roots.setdefault(part, set()).add("/".join(parts[:depth]))
    compiled = any(
        path.endswith((".pyx", "Cargo.toml", ".c", ".cpp", "CMakeLists.txt")) for path in project.files
    )
    return _Layout(
        project=project,
        roots=roots,
        declared=python_dependencies(project.files),
        compiled=compiled,
        in_lambda=any(_LAMBDA.search(path) for path in project.files),
    )


def _relative(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    folder = join(dirname(path), *[".."] * (imported.level - 1))
    written = "." * imported.level + imported.module
    if folder.startswith(".."):
        message = f"{path} imports {written!r}, which is above the project's own folder"
        yield at(path, imported, Rule.UNRESOLVED, f"{message}: import from the package's top instead")
        return
    yield from _from(layout, path, imported, written, [folder])


def _absolute(layout: _Layout, path: str, imported: Import) -> Iterator[Finding]:
    top = imported.module.partition(".")[0]
    if is_provided(top):
        return  # a file of the project may have the name of a standard module: which one is meant?
    findings = _from(layout, path, imported, imported.module, sorted(layout.roots[top]))
    if not all(_is_package(layout, root) for root in layout.roots[top]):
        yield from findings


def _is_package(layout: _Layout, folder: str) -> bool:
    """What lies in one is imported by its name or by dots: an absolute import like `backends/anyio.py` in it
    means the library of that name, if that has what it asks for."""
    return bool(folder) and join(folder, "__init__.py") in layout.project.files


def _from(layout: _Layout, path: str, imported: Import, written: str, roots: list[str]) -> Iterator[Finding]:
    """Nothing when some root has the module with all names; else what the best root lacks."""
    parts = imported.module.split(".") if imported.module else []
    found = [root for root in roots if _module(layout, root, parts) is not None]
    if not found:
        if not _is_made_later(layout, parts):
            message = f"{path} imports {shown(written)!r}, but the project has no such module"
            yield at(path, imported, Rule.UNRESOLVED, f"{message}: correct the import or define it")
        return
    lacking = min((_lacking(layout, root, parts, imported) for root in found), key=len)
    for name in lacking:
        where = _module(layout, found[0], parts) or join(found[0], *parts)
        message = f"{path} imports {name!r} from {shown(written)!r}, but {where} does not define it"
        yield at(path, imported, Rule.MISSING_NAME, f"{message}: use what it defines")


def _module(layout: _Layout, root: str, parts: list[str]) -> str | None:
    """The file of a module; "" for a package that is a folder only; None when there is neither."""
    place = join(root, *parts)
    for suffix in _SUFFIXES:
        candidate = place + suffix if place else suffix.removeprefix("/")
        if candidate in layout.project.files:
            return candidate
    return "" if place in layout.project.folders or not place else None


def _lacking(layout: _Layout, root: str, parts: list[str], imported: Import) -> list[str]:
    file = _module(layout, root, parts)
    names = [name for name in imported.names if name not in _ALWAYS]
    if file:
        symbols = layout.project.symbols(file)
        if symbols.open:
            return []
        names = [name for name in names if name not in symbols.names]
    return [name for name in names if not _is_submodule(layout, root, parts, name)]


def _is_submodule(layout: _Layout, root: str, parts: list[str], name: str) -> bool:
    return _module(layout, root, [*parts, name]) is not None or _is_made_later(layout, [name])


def _is_made_later(layout: _Layout, parts: list[str]) -> bool:
    """Modules that a build writes: versions, protocol buffers, extensions."""
    last = parts[-1] if parts else ""
    return last in ("_version", "version") or "_pb2" in last or (layout.compiled and last.startswith("_"))


def _is_declared(layout: _Layout, top: str) -> bool:
    if is_provided(top) or layout.declared.open or (top in _IN_LAMBDA and layout.in_lambda):
        return True
    return provides(layout.declared.packages, top)


def _any_manifest(project: Project) -> str | None:
    return next((path for path in sorted(project.files) if is_manifest(path)), None)


def _undeclared(manifest: str, top: str, places: list[str]) -> Finding:
    by = users(places)
    if is_manifest(manifest):
        message = f"{manifest} does not declare the package that provides {top!r}, which {by} imports: add it"
        return undeclared(manifest, message)
    message = f"{by} imports {top!r}, which neither the project nor Python has and no manifest declares"
    return undeclared_at(manifest, places, message)
