"""tree-sitter behind three calls: parse, find the first error, ask a query.

The grammars are C code run over hostile text, and what crashes there takes the whole process along. Text
nested as deep as it is long overflows a stack (256 KiB of `[{` in Go), and open angle brackets cost time and
memory by their square (64 KiB of `a<` in Java, 8 GB). So nesting is bounded before, and processor time while,
it parses.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from tree_sitter import Language, Node, Parser, Point, Query, QueryCursor

LONGEST = 256 * 1024  # bytes; a longer file is data or a bundle, and is not parsed
DEEPEST = 400  # brackets; people stop at 20, generated tables at 100
DEEPEST_ANGLES = 500  # open `<` within one statement; 2,000 cost 80 MB in Java
SECONDS = 1.0  # of processor time; 256 KiB of valid code take 0.05
_SLICE = 16 * 1024  # bytes between two chances for other threads: the parser holds the interpreter's lock

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
_MARKUP = {"html", "php", "bash", "go"}  # where `<` opens nothing that nests


class GaveUp(Exception):
    """The text is not like any source: the parser was stopped. `line` is where, 0 if not known."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse(language: str, text: str) -> Node | None:
    """The root of the syntax tree; None for a text too long to look at. Raises GaveUp."""
    data = text.encode("utf-8", "replace")
    if len(data) > LONGEST:
        return None
    check_depth(text)
    if language not in _MARKUP:
        _check_angles(text)
    parser = Parser(_language(language))
    if len(data) <= _SLICE:
        return parser.parse(data).root_node
    return _parse_in_slices(parser, data)


def captures(language: str, query: str, node: Node) -> Mapping[str, list[Node]]:
    """Nodes by capture name, in the order of the text."""
    return QueryCursor(_query(language, query)).captures(node)


def matches(language: str, query: str, node: Node) -> list[dict[str, list[Node]]]:
    """The captures of each match, in the order of the text."""
    return [found for _, found in QueryCursor(_query(language, query)).matches(node)]


def first_error(root: Node) -> Node | None:
    """The innermost node at which the first error was seen."""
    if not root.has_error:
        return None
    node = root
    while child := next((c for c in node.children if c.has_error or c.is_error or c.is_missing), None):
        node = child
    return node


def line(node: Node) -> int:
    return node.start_point.row + 1


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def check_depth(text: str) -> None:
    """Raises GaveUp. Brackets in strings count too: nobody writes so many that this matters."""
    if sum(map(text.count, "([{")) <= DEEPEST:
        return
    depth = 0
    for bracket in re.finditer(r"[()\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "([{" else max(depth - 1, 0)
        if depth > DEEPEST:
            raise GaveUp(f"brackets are nested more than {DEEPEST} deep", _row(text, bracket.start()))


def _check_angles(text: str) -> None:
    depth = 0
    for mark in re.finditer(r"[-=]>|<[-=<]|[<>;{}]", text):
        if mark[0] == "<":
            depth += 1
        elif mark[0] == ">":
            depth = max(depth - 1, 0)
        elif len(mark[0]) == 1:
            depth = 0
        if depth > DEEPEST_ANGLES:
            raise GaveUp(f"more than {DEEPEST_ANGLES} `<` are open at once", _row(text, mark.start()))


def _row(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


@cache
def _language(name: str) -> Language:
    """Loaded at first use: all grammars together are 20 MB, and a task needs two or three."""
    module, attribute = _GRAMMARS[name]
    return Language(getattr(import_module(module), attribute)())


@cache
def _query(language: str, query: str) -> Query:
    return Query(_language(language), query)


def _parse_in_slices(parser: Parser, data: bytes) -> Node:
    end = time.thread_time() + SECONDS

    def read(offset: int, _: Point) -> bytes:
        return data[offset : offset + _SLICE]

    def late(_offset: int, _has_error: bool) -> bool:
        return time.thread_time() > end

    try:
        return parser.parse(read, progress_callback=late).root_node
    except ValueError:  # how py-tree-sitter says that the callback stopped it
        raise GaveUp("its errors are so many that the parser gave up", 0) from None
