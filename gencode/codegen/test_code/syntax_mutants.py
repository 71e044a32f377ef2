"""Mutants of JavaScript, TypeScript and Go, see `mutants`: small changes of the text at the places that the
syntax tree names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gencode.codegen.test_code.mutants import Mutant
from gencode.codegen.validation.function_ranges import function_nodes
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.treesitter import parse

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_MUTANTS = 20
"""Each costs a start of the test framework."""
SAME_GO, SAME_JAVASCRIPT = b" /* same */", b" if (0 > 1) {}"
"""Without effect. Compilers of JavaScript leave comments and idle values out of what a test may look at."""
_OPERATORS = {
    "comparison": {
        "===": "!==",
        "!==": "===",
        "==": "!=",
        "!=": "==",
        "<": ">=",
        ">=": "<",
        ">": "<=",
        "<=": ">",
    },
    "boundary": {"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
    "arithmetic": {
        "+": "-",
        "-": "+",
        "*": "+",
        "/": "*",
        "%": "*",
        "&": "|",
        "|": "&",
        "<<": ">>",
        ">>": "<<",
    },
    "boolean": {"&&": "||", "||": "&&"},
}
_CONDITIONS = ("if_statement", "while_statement", "ternary_expression", "for_statement", "for_clause")
_NUMBERS = ("number", "int_literal", "float_literal")
_FLIPPED = {"true": "false", "false": "true"}


@dataclass(frozen=True, slots=True)
class _Edit:
    """The bytes from `start` to `end` become `text`."""

    kind: str
    line: int
    start: int
    end: int
    text: str


def syntax_control(path: str, text: str) -> str:
    """The same code with something more in each function. A test that fails on it reads the source."""
    bodies = (node.child_by_field_name("body") for node in function_nodes(path, text))
    places = {body.start_byte + 1 for body in bodies if body is not None and body.type.endswith("block")}
    data, same = text.encode(), SAME_GO if language_of(path) == "go" else SAME_JAVASCRIPT
    for at in sorted(places, reverse=True):
        data = data[:at] + same + data[at:]
    return data.decode()


def syntax_mutants(path: str, text: str, ranges: Sequence[tuple[int, int]]) -> list[Mutant]:
    """At most MAX_MUTANTS, spread over these lines. Raises ParseError."""
    root = parse(language_of(path), text)
    if root is None:
        return []
    inside = (node for node in _nodes(root) if any(a <= node.start_point.row + 1 <= b for a, b in ranges))
    edits = [edit for node in inside for edit in _edits(node, is_go=language_of(path) == "go")]
    data = text.encode()
    return [
        Mutant(
            kind=edit.kind,
            line=edit.line,
            text=(data[: edit.start] + edit.text.encode() + data[edit.end :]).decode(),
        )
        for edit in edits[:: max(1, -(-len(edits) // MAX_MUTANTS))]
    ]


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def _edits(node: Node, *, is_go: bool) -> Iterator[_Edit]:
    if node.type == "binary_expression" and (operator := node.child_by_field_name("operator")):
        for kind, table in _OPERATORS.items():
            if other := table.get(_text(operator)):
                yield _edit(kind, operator, other)
    elif node.type in _CONDITIONS and (condition := node.child_by_field_name("condition")):
        if condition.type not in (";", "empty_statement", "expression_statement"):
            inner = f"!({_text(condition)})"
            yield _edit("condition", condition, f"({inner})" if _text(condition).startswith("(") else inner)
    elif node.type == "return_statement" and not is_go and (value := next(iter(node.named_children), None)):
        yield _edit("return", value, "undefined")
    elif node.type in _NUMBERS:
        yield _edit("constant", node, f"({_text(node)} + 1)")
    elif node.type in _FLIPPED and not node.children:
        yield _edit("constant", node, _FLIPPED[node.type])


def _edit(kind: str, node: Node, text: str) -> _Edit:
    return _Edit(kind, node.start_point.row + 1, node.start_byte, node.end_byte, text)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
