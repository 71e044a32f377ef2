"""The tests of a JavaScript, TypeScript or Go file: their names as the framework tells them, and the file
without some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.treesitter import parse

if TYPE_CHECKING:
    from tree_sitter import Node

_TESTS, _GROUPS = ("test", "it", "xit", "xtest", "fit"), ("describe", "xdescribe", "fdescribe", "suite")


def syntax_tests(path: str, text: str) -> list[TestFunction]:
    """A test in groups has their names before its own, as "area small is positive". Raises ParseError."""
    return [
        TestFunction(name=name, first=node.start_point.row + 1, last=node.end_point.row + 1, text=name)
        for name, node in _named(path, text)
    ]


def without_syntax_tests(path: str, text: str, names: Collection[str]) -> str:
    """Raises ParseError."""
    data = text.encode()
    gone = [(node.start_byte, node.end_byte) for name, node in _named(path, text) if name in names]
    for start, end in sorted(gone, reverse=True):
        data = data[:start] + data[end:]
    return data.decode()


def _named(path: str, text: str) -> Iterator[tuple[str, Node]]:
    """With the statement of each."""
    root = parse(language_of(path), text)
    if root is None:
        return
    if language_of(path) == "go":
        for node in root.named_children:
            name = node.child_by_field_name("name")
            if node.type == "function_declaration" and name is not None and _text(name).startswith("Test"):
                yield _text(name), node
        return
    yield from _calls(root, ())


def _calls(root: Node, groups: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    waiting = [(root, groups)]
    while waiting:
        node, around = waiting.pop()
        name, title = _call(node)
        if name in _TESTS and title:
            is_statement = node.parent is not None and node.parent.type == "expression_statement"
            yield " ".join((*around, title)), node.parent if is_statement and node.parent else node
            continue
        inner = (*around, title) if name in _GROUPS and title else around
        waiting += [(child, inner) for child in reversed(node.named_children)]


def _call(node: Node) -> tuple[str, str]:
    """The name of what is called, as "test" of `test.each(...)("adds", ...)`, and its first argument if that
    is a text."""
    if node.type != "call_expression":
        return "", ""
    called, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if called is None or arguments is None or not arguments.named_children:
        return "", ""
    first = arguments.named_children[0]
    title = _text(first)[1:-1] if first.type in ("string", "template_string") else ""
    while called.type in ("call_expression", "member_expression"):
        field = "function" if called.type == "call_expression" else "object"
        inner = called.child_by_field_name(field)
        if inner is None:
            return "", ""
        called = inner
    return _text(called), title


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
