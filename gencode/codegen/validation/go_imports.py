"""Whether the imports of Go files find what they name: packages of the module, and names in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from gencode.codegen.validation.finding import Finding, Rule
from gencode.codegen.validation.go_source import called_by
from gencode.codegen.validation.import_findings import at, undeclared, users
from gencode.codegen.validation.manifest import words
from gencode.codegen.validation.project import Project, join
from gencode.codegen.validation.symbols import Import, Symbols

_MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.MULTILINE)
_REQUIRED = re.compile(
    r"^(?:require[ \t]+|replace[ \t]+|[ \t]+)\"?([\w.~-]+\.[\w.~-]+/[^\s\"]+)", re.MULTILINE
)

_GENERATED = words("gen generated pb mocks mock ent docs proto")
_SOURCES = (".proto", ".s", ".c", ".sql", ".templ")
_STANDARD = words(
    """
    archive arena bufio builtin bytes cmp compress container context crypto database debug embed encoding
    errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin
    reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique
    unsafe weak C
    """
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """modules: folder of a go.mod by the module's path; packages: Go files by folder."""

    project: Project
    modules: Mapping[str, str]
    required: frozenset[str]
    packages: Mapping[str, Mapping[str, Symbols]]


def go_findings(project: Project) -> Iterator[Finding]:
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in project.in_language("go"):
        for imported in symbols.imports:
            folder = _own_folder(layout, imported.module)
            if folder is not None:
                yield from _own(layout, path, imported, folder)
            elif "." in imported.module.partition("/")[0].lstrip("."):
                _require(layout, path, imported, missing)
            elif astray := _astray(layout, imported.module):
                message = f"{path} imports {imported.module!r}: that package of this module is {astray!r}"
                yield at(path, imported, Rule.UNRESOLVED, message)
    yield from (_undeclared(manifest, module, places) for (manifest, module), places in missing.items())


def _layout(project: Project) -> _Layout:
    manifests = {path: text for path, text in project.files.items() if path.rpartition("/")[2] == "go.mod"}
    modules = {found[1]: dirname(path) for path, text in manifests.items() if (found := _MODULE.search(text))}
    packages: dict[str, dict[str, Symbols]] = {}
    for path, symbols in project.in_language("go"):
        packages.setdefault(dirname(path), {})[path] = symbols
    required = frozenset(name for text in manifests.values() for name in _REQUIRED.findall(text))
    return _Layout(project=project, modules=modules, required=required, packages=packages)


def _own_folder(layout: _Layout, module: str) -> str | None:
    """The folder that an import path of the project means; the longest module path that fits decides."""
    for name in sorted(layout.modules, key=len, reverse=True):
        if module == name or module.startswith(name + "/"):
            return join(layout.modules[name], module[len(name) + 1 :])
    return None


def _own(layout: _Layout, path: str, imported: Import, folder: str) -> Iterator[Finding]:
    package = {
        file: s for file, s in layout.packages.get(folder, {}).items() if not file.endswith("_test.go")
    }
    if not package:
        if not _has_unread(layout.project, folder):
            message = (
                f"{path} imports {imported.module!r}, but the project has no Go files in {folder or '.'}"
            )
            yield at(path, imported, Rule.UNRESOLVED, f"{message}: correct the import")
        return
    clauses = {symbols.package for symbols in package.values()}
    if clauses != {called_by(imported.module)} or _has_unread(layout.project, folder):
        return  # it goes by a name that the uses were not collected for, or not all of it is known
    defined = {name for symbols in package.values() for name in symbols.names}
    for name in imported.names:
        if name not in defined:
            used = f"{called_by(imported.module)}.{name}"
            message = f"{path} uses {used}, but no file in {folder or '.'} defines {name}"
            yield at(path, imported, Rule.MISSING_NAME, message)


def _has_unread(project: Project, folder: str) -> bool:
    """Go files that were not read, and files that Go code is generated from."""
    if folder.rpartition("/")[2] in _GENERATED:
        return True
    inside = [path for path in project.files if dirname(path) == folder]
    unread = (path for path in inside if path.endswith(".go") and project.symbols(path).open)
    return any(path.endswith(_SOURCES) for path in inside) or any(unread)


def _require(layout: _Layout, path: str, imported: Import, missing: dict[tuple[str, str], list[str]]) -> None:
    manifest = layout.project.nearest(path, frozenset({"go.mod"}))
    if manifest is None or "vendor/" in path:
        return
    parts = imported.module.split("/")
    prefixes = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    if prefixes.isdisjoint(layout.required):
        missing.setdefault((manifest, imported.module), []).append(f"{path}:{imported.line}")


def _astray(layout: _Layout, module: str) -> str:
    """The right path for one that names a folder of the project under a wrong module name, else ""."""
    first, _, rest = module.partition("/")
    if first in _STANDARD:
        return ""
    for name, folder in layout.modules.items():
        for part in (rest, module):
            if part and join(folder, part) in layout.packages:
                return f"{name}/{part}"
    return ""


def _undeclared(manifest: str, module: str, places: list[str]) -> Finding:
    by = users(places)
    message = f"{manifest} does not require the module of {module!r}, which {by} imports: add it"
    return undeclared(manifest, message)
