"""The definitions and imports of a Go file, and the names of its imports that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.codegen.validation.file_analysis import Import, Symbol, Symbols
from gencode.codegen.validation.grammar_workarounds import SyntaxTree
from gencode.codegen.validation.treesitter import captures, line_of, matches, text_of
from gencode.codegen.validation.treesitter_queries import GO_IMPORTS, GO_LOCALS, GO_PACKAGE, GO_USES

_VERSION = re.compile(r"v\d+")


def go_symbols(tree: SyntaxTree, exports: tuple[Symbol, ...]) -> Symbols:
    package = captures("go", GO_PACKAGE, tree.root).get("package", [])
    return Symbols(
        language="go",
        exports=exports,
        imports=tuple(_imports(tree)),
        package=text_of(package[0]) if package else "",
        has_unknown_exports=False,
    )


def default_package_name(module: str) -> str:
    """The most likely package clause behind an import path: its last part that is not a version."""
    parts = [part for part in module.split("/") if not _VERSION.fullmatch(part)]
    return parts[-1] if parts else ""


def _imports(tree: SyntaxTree) -> Iterator[Import]:
    used = _used_names(tree)
    for node in captures("go", GO_IMPORTS, tree.root).get("import", ()):
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is None:
            continue
        module = text_of(path).strip('"`')
        package = text_of(alias) if alias else default_package_name(module)
        yield Import(module=module, line=line_of(node), names=used.get(package, ()))


def _used_names(tree: SyntaxTree) -> dict[str, tuple[str, ...]]:
    """The used names of each package; none for a package whose name is also the name of a variable."""
    hidden = {text_of(node) for node in captures("go", GO_LOCALS, tree.root).get("local", ())}
    used: dict[str, dict[str, None]] = {}
    for match in matches("go", GO_USES, tree.root):
        package, name = text_of(match["package"][0]), text_of(match["name"][0])
        if package not in hidden and name[0].isupper():
            used.setdefault(package, {})[name] = None
    return {package: tuple(names) for package, names in used.items()}
