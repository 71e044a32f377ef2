"""Limits on the text that is parsed, and the errors of parsers.

Text nested as deep as it is long overflows the stack of a tree-sitter grammar (256 KiB of `[{` in Go), and
open angle brackets cost it time and memory by their square (64 KiB of `a<` in Java, 8 GB). libyaml takes a
minute for 100,000 open brackets.
"""

from __future__ import annotations

import re

MAX_BYTES = 256 * 1024  # a longer file is data or a bundle, and is not parsed
MAX_DEPTH = 400  # brackets; written code has at most 20, generated tables 100
MAX_OPEN_ANGLES = 500  # open `<` within one statement; 2,000 cost 80 MB in Java


class ParseError(Exception):
    """The text does not parse. `line` counts from 1, and is 0 if it is not known."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class LimitExceeded(ParseError):
    """The text is unlike any source code: it was not parsed, or the parser was stopped."""


def check_depth(text: str) -> None:
    """Raises LimitExceeded. Brackets in strings count too: real files do not have so many that it matters."""
    if sum(map(text.count, "([{")) <= MAX_DEPTH:
        return
    depth = 0
    for bracket in re.finditer(r"[()\[\]{}]", text):
        depth = depth + 1 if bracket[0] in "([{" else max(depth - 1, 0)
        if depth > MAX_DEPTH:
            line = line_at(text, bracket.start())
            raise LimitExceeded(line, f"brackets are nested more than {MAX_DEPTH} deep")


def check_angles(text: str) -> None:
    """Raises LimitExceeded."""
    depth = 0
    for mark in re.finditer(r"[-=]>|<[-=<]|[<>;{}]", text):
        if mark[0] == "<":
            depth += 1
        elif mark[0] == ">":
            depth = max(depth - 1, 0)
        elif len(mark[0]) == 1:
            depth = 0
        if depth > MAX_OPEN_ANGLES:
            line = line_at(text, mark.start())
            raise LimitExceeded(line, f"more than {MAX_OPEN_ANGLES} `<` are open at once")


def line_at(text: str, offset: int) -> int:
    """The line of a position in the text, from 1."""
    return text.count("\n", 0, offset) + 1
