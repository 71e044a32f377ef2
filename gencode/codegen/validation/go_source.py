"""What a Go file defines, imports, and uses of what it imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.codegen.validation.grammar import captures, line, matches, text_of
from gencode.codegen.validation.symbols import Import, Symbol, Symbols
from gencode.codegen.validation.syntax_tree import Parsed
from gencode.codegen.validation.tree_queries import GO_IMPORTS, GO_LOCALS, GO_PACKAGE, GO_USES

_VERSION = re.compile(r"v\d+")


def go_symbols(parsed: Parsed, exports: tuple[Symbol, ...]) -> Symbols:
    package = captures("go", GO_PACKAGE, parsed.root).get("package", [])
    return Symbols(
        language="go",
        exports=exports,
        imports=tuple(_imports(parsed)),
        package=text_of(package[0]) if package else "",
        open=False,
    )


def called_by(module: str) -> str:
    """The name that an import path most likely goes by: its last part that is not a version."""
    parts = [part for part in module.split("/") if not _VERSION.fullmatch(part)]
    return parts[-1] if parts else ""


def _imports(parsed: Parsed) -> Iterator[Import]:
    used = _uses(parsed)
    for node in captures("go", GO_IMPORTS, parsed.root).get("import", ()):
        path, alias = node.child_by_field_name("path"), node.child_by_field_name("name")
        if path is None:
            continue
        module = text_of(path).strip('"`')
        name = text_of(alias) if alias else called_by(module)
        yield Import(module=module, line=line(node), names=used.get(name, ()))


def _uses(parsed: Parsed) -> dict[str, tuple[str, ...]]:
    """Names used of each package; none for one whose name a variable of the file has too."""
    hidden = {text_of(node) for node in captures("go", GO_LOCALS, parsed.root).get("local", ())}
    used: dict[str, dict[str, None]] = {}
    for match in matches("go", GO_USES, parsed.root):
        package, name = text_of(match["package"][0]), text_of(match["name"][0])
        if package not in hidden and name[0].isupper():
            used.setdefault(package, {})[name] = None
    return {package: tuple(names) for package, names in used.items()}
