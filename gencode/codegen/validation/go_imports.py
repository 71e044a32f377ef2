"""Checks the imports of Go files: packages of the project, names in them, requirements in go.mod."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from gencode.codegen.validation.file_analysis import Import, Symbols
from gencode.codegen.validation.findings import Finding, Rule, listed, undeclared_dependency
from gencode.codegen.validation.go_symbols import default_package_name
from gencode.codegen.validation.project import Project, join, word_set

_MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.MULTILINE)
_REQUIRED = re.compile(r"^(?:require[ \t]+|replace[ \t]+|[ \t]+)\"?([\w.~-]++/[^\s\"]+)", re.MULTILINE)

_GENERATED_DIRECTORIES = word_set("gen generated pb mocks mock ent docs proto")
_GENERATOR_INPUTS = (".proto", ".s", ".c", ".sql", ".templ")
_STANDARD_LIBRARY = word_set(
    """
    archive arena bufio builtin bytes cmp compress container context crypto database debug embed encoding
    errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin
    reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique
    unsafe weak C
    """
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """modules   directory of each go.mod by the path of its module
    required  module paths in all go.mod files
    packages  symbols of Go files by path, by directory
    """

    project: Project
    modules: Mapping[str, str]
    required: frozenset[str]
    packages: Mapping[str, Mapping[str, Symbols]]


def go_import_findings(project: Project) -> Iterator[Finding]:
    layout = _layout(project)
    missing: dict[tuple[str, str], list[str]] = {}
    for path, symbols in project.in_language("go"):
        for imported in symbols.imports:
            directory = _directory_of(layout, imported.module)
            if directory is not None:
                yield from _project_import_findings(layout, path, imported, directory)
            elif "." in imported.module.partition("/")[0].lstrip("."):
                if manifest := _manifest_without(layout, path, imported.module):
                    missing.setdefault((manifest, imported.module), []).append(f"{path}:{imported.line}")
            elif right := _path_under_module(layout, imported.module):
                message = f"{path} imports {imported.module!r}: that package of this module is {right!r}"
                yield imported.finding(path, Rule.UNRESOLVED, message)
    yield from (_undeclared(*key, locations) for key, locations in missing.items())


def _layout(project: Project) -> _Layout:
    manifests = {path: text for path, text in project.files.items() if path.rpartition("/")[2] == "go.mod"}
    modules = {found[1]: dirname(path) for path, text in manifests.items() if (found := _MODULE.search(text))}
    packages: dict[str, dict[str, Symbols]] = {}
    for path, symbols in project.in_language("go"):
        packages.setdefault(dirname(path), {})[path] = symbols
    names = (name for text in manifests.values() for name in _REQUIRED.findall(text))
    required = frozenset(name for name in names if "." in name.partition("/")[0].strip("."))
    return _Layout(project=project, modules=modules, required=required, packages=packages)


def _directory_of(layout: _Layout, module: str) -> str | None:
    """The directory of an import path inside the project; the longest module path that matches decides."""
    for name in sorted(layout.modules, key=len, reverse=True):
        if module == name or module.startswith(name + "/"):
            return join(layout.modules[name], module[len(name) + 1 :])
    return None


def _project_import_findings(
    layout: _Layout, path: str, imported: Import, directory: str
) -> Iterator[Finding]:
    files = layout.packages.get(directory, {})
    package = [symbols for file, symbols in files.items() if not file.endswith("_test.go")]
    if _has_unknown_files(layout.project, directory):
        return
    where = directory or "."
    if not package:
        message = f"{path} imports {imported.module!r}, but the project has no Go files in {where}"
        yield imported.finding(path, Rule.UNRESOLVED, message, "Correct the import.")
        return
    name = default_package_name(imported.module)
    if {symbols.package for symbols in package} != {name}:
        return  # the uses were collected for another package name
    defined = frozenset[str]().union(*(symbols.names for symbols in package))
    for used in imported.names:
        if used not in defined:
            message = f"{path} uses {name}.{used}, but no file in {where} defines {used}"
            yield imported.finding(path, Rule.MISSING_NAME, message)


def _has_unknown_files(project: Project, directory: str) -> bool:
    """Whether the directory has Go files that do not parse, or files that Go code is generated from."""
    if directory.rpartition("/")[2] in _GENERATED_DIRECTORIES:
        return True
    inside = [path for path in project.files if dirname(path) == directory]
    return any(path.endswith(_GENERATOR_INPUTS) for path in inside) or any(
        path.endswith(".go") and project.symbols(path).has_unknown_exports for path in inside
    )


def _manifest_without(layout: _Layout, path: str, module: str) -> str | None:
    """The go.mod that should require the module of this import path and does not; None if it is required."""
    manifest = layout.project.nearest_file(path, frozenset({"go.mod"}))
    if manifest is None or "vendor/" in path:
        return None
    parts = module.split("/")
    prefixes = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return manifest if prefixes.isdisjoint(layout.required) else None


def _path_under_module(layout: _Layout, module: str) -> str:
    """The right path for one that names a directory of the project under a wrong module name, else ""."""
    first, _, rest = module.partition("/")
    if first in _STANDARD_LIBRARY:
        return ""
    for name, directory in layout.modules.items():
        for part in (rest, module):
            if part and join(directory, part) in layout.packages:
                return f"{name}/{part}"
    return ""


def _undeclared(manifest: str, module: str, locations: list[str]) -> Finding:
    by = listed(locations)
    message = f"{manifest} does not require the module of {module!r}, which {by} imports"
    return undeclared_dependency(manifest, message)
