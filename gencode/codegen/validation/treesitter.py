"""tree-sitter: loads grammars, parses within limits, runs queries.

The grammars are C code that parses hostile text, and a crash in one ends the whole process (see
`gencode.limited_child`). So nesting is bounded before parsing, and processor time during it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from tree_sitter import Language, Node, Parser, Point, Query, QueryCursor

from gencode.codegen.validation.parse_limits import MAX_BYTES, LimitExceeded, check_angles, check_depth

MAX_CPU_SECONDS = 1.0  # 256 KiB of valid code take 0.05
_SLICE = 4 * 1024  # bytes between two checks of the time; some texts of 15 KB take four seconds

_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "css": ("tree_sitter_css", "language"),
    "go": ("tree_sitter_go", "language"),
    "html": ("tree_sitter_html", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "python": ("tree_sitter_python", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
LANGUAGES = frozenset(_GRAMMARS)
_WITHOUT_NESTED_ANGLES = {"html", "php", "bash", "go"}


def parse(language: str, text: str) -> Node | None:
    """The root of the syntax tree; None for a text longer than MAX_BYTES. Raises LimitExceeded."""
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        return None
    check_depth(text)
    if language not in _WITHOUT_NESTED_ANGLES:
        check_angles(text)
    return _parse_in_slices(Parser(_language(language)), data)


def captures(language: str, query: str, node: Node) -> Mapping[str, list[Node]]:
    """Nodes by capture name, in the order of the text."""
    found = QueryCursor(_query(language, query)).captures(node)
    # py-tree-sitter 0.26 collects the nodes of a name in a set: their order differs from run to run.
    return {name: sorted(nodes, key=lambda node: node.start_byte) for name, nodes in found.items()}


def matches(language: str, query: str, node: Node) -> list[dict[str, list[Node]]]:
    """The captures of each match, in the order of the text."""
    return [found for _, found in QueryCursor(_query(language, query)).matches(node)]


def first_error(root: Node) -> Node | None:
    """The innermost node at which the first error occurs."""
    if not root.has_error:
        return None
    node = root
    while child := next((c for c in node.children if c.has_error or c.is_error or c.is_missing), None):
        node = child
    return node


def line_of(node: Node) -> int:
    """The line of a node, from 1."""
    return node.start_point.row + 1


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def text_before(node: Node, inner: Node) -> str:
    """The text of `node` up to `inner`, a part of it: the head of a definition before its body."""
    return (node.text or b"")[: inner.start_byte - node.start_byte].decode("utf-8", "replace").strip()


@cache
def _language(name: str) -> Language:
    """A grammar, loaded at first use: all grammars together are 20 MB, and a task needs two or three."""
    module, attribute = _GRAMMARS[name]
    return Language(getattr(import_module(module), attribute)())


@cache
def _query(language: str, query: str) -> Query:
    return Query(_language(language), query)


def _parse_in_slices(parser: Parser, data: bytes) -> Node:
    end = time.thread_time() + MAX_CPU_SECONDS

    def read(offset: int, _: Point) -> bytes:
        return data[offset : offset + _SLICE]

    def is_late(_offset: int, _has_error: bool) -> bool:
        return time.thread_time() > end

    try:
        return parser.parse(read, progress_callback=is_late).root_node
    except ValueError:  # py-tree-sitter raises it when the callback has stopped the parser
        raise LimitExceeded(0, "its errors are so many that the parser gave up") from None
