"""The functions of a file that tests can name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gencode.codegen.validation.function_ranges import function_nodes
from gencode.codegen.validation.languages import language_of

if TYPE_CHECKING:
    from tree_sitter import Node

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python's parser raises for texts that it does not read."""
_NAMED_BY_PARENT = ("variable_declarator", "pair", "public_field_definition", "assignment_expression")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFunction:
    """A function or method that is not inside of another function.

    name         "area", "Shape.area"
    first, last  lines from 1; decorators belong to it
    """

    name: str
    first: int
    last: int


def named_functions(path: str, text: str) -> list[NamedFunction]:
    """In the order of their first lines; empty for a text that does not parse."""
    if language_of(path) == "python":
        try:
            return list(python_functions(parsed(text)))
        except UNREADABLE:
            return []
    return list(_outermost(path, text))


def parsed(text: str) -> ast.Module:
    """A file may begin with a byte order mark. Raises the errors in UNREADABLE."""
    return ast.parse(text.removeprefix("\ufeff"))


def python_functions(tree: ast.AST, prefix: str = "") -> Iterator[NamedFunction]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FunctionNode):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield NamedFunction(name=f"{prefix}{node.name}", first=first, last=node.end_lineno or first)
        elif isinstance(node, ast.ClassDef):
            yield from python_functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from python_functions(node, prefix)


def _outermost(path: str, text: str) -> Iterator[NamedFunction]:
    last = 0
    for node in sorted(function_nodes(path, text), key=lambda node: (node.start_byte, -node.end_byte)):
        first, end = node.start_point.row + 1, node.end_point.row + 1
        name = _name(node)
        if name and node.start_byte >= last:
            last = node.end_byte
            yield NamedFunction(name=name, first=first, last=end)


def _name(node: Node) -> str:
    """Its own, or that of the variable or property that holds it; of a method with its class or receiver."""
    named = node.child_by_field_name("name")
    parent = node.parent
    if named is None and parent is not None and parent.type in _NAMED_BY_PARENT:
        fields = ("name", "key", "left")
        named = next((found for name in fields if (found := parent.child_by_field_name(name))), None)
    if named is None or not named.text:
        return ""
    return f"{_owner(node)}{named.text.decode('utf-8', 'replace')}"


def _owner(node: Node) -> str:
    if receiver := node.child_by_field_name("receiver"):
        words = (receiver.text or b"").decode("utf-8", "replace").strip("()").split()
        return f"{words[-1].lstrip('*')}." if words else ""
    around = node.parent
    while around is not None and around.type not in ("class_declaration", "class"):
        around = around.parent
    name = around.child_by_field_name("name") if around is not None else None
    return f"{name.text.decode('utf-8', 'replace')}." if name is not None and name.text else ""
