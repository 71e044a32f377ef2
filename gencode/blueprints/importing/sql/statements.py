"""Splits SQL into statements, in time that is proportional to its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gencode.blueprints.importing.imported import ImportFailed

_SPECIAL = re.compile(
    r"--|/\*|#|'|\"|`|\$\w{0,60}\$|;|^[ \t]*(?:DELIMITER[ \t]+(?P<delimiter>\S+)[ \t]*|GO[ \t]*|/[ \t]*)$",
    re.M | re.I,
)
_COPY = re.compile(r"\s*COPY\b[^;]*\bFROM\s+stdin\b", re.I)
_QUOTES = {quote: re.compile(rf"[^{quote}]*{quote}") for quote in "'\"`"}
_ESCAPED_QUOTES = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*{quote}", re.S) for quote in "'\"`"}
MAX_STATEMENTS = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """`line`: of its first character that is no comment."""

    text: str
    line: int


def statements(text: str, dialect: str) -> Iterator[Statement]:
    """Raises ImportFailed for a text or a comment that does not end."""
    splitter = _Splitter(text, dialect)
    for count, (start, end) in enumerate(splitter.spans()):
        if count > MAX_STATEMENTS:
            raise ImportFailed(f"the text has more than {MAX_STATEMENTS:,} statements")
        yield Statement(text=text[start:end], line=splitter.line(start))


class _Splitter:
    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._is_mysql = dialect == "mysql"
        self._delimiter = ";"
        self._line, self._counted = 1, 0

    def line(self, position: int) -> int:
        """Positions are asked for in order, so that every line is counted once."""
        self._line += self._text.count("\n", self._counted, position)
        self._counted = max(self._counted, position)
        return self._line

    def spans(self) -> Iterator[tuple[int, int]]:
        """Start and end of each statement without the comments before it."""
        start: int | None = None
        position, size = 0, len(self._text)
        while position < size:
            match = _SPECIAL.search(self._text, position)
            found = match.start() if match else size
            if start is None:
                start = _first_of(self._text, position, found)
            if match is None:
                break
            position = self._after(match)
            if self._is_end(match):
                if start is not None:
                    yield start, found
                    position = self._after_copy(start, found, position)
                start = None
            elif start is None and self._is_text(match.group()):
                start = found
        if start is not None:
            yield start, size

    def _is_end(self, match: re.Match[str]) -> bool:
        """A DELIMITER of MySQL, GO of SQL Server and / of Oracle stand on lines of their own."""
        sign = match.group()
        if sign == ";":
            return self._delimiter == ";"
        if match["delimiter"]:
            self._delimiter = match["delimiter"]
            return True
        if self._delimiter != ";":
            return self._text.startswith(self._delimiter, match.start())
        return sign.strip().upper() in ("GO", "/")

    def _is_text(self, sign: str) -> bool:
        """Whether the sign is part of a statement: no comment."""
        return sign[0] in "'\"`$" or (sign == "#" and not self._is_mysql)

    def _after(self, match: re.Match[str]) -> int:
        sign, end = match.group(), match.end()
        if sign == "--" or (sign == "#" and self._is_mysql):
            line_end = self._text.find("\n", end)
            return len(self._text) if line_end < 0 else line_end
        if sign == "/*":
            return self._end_of("*/", end, match, "comment")
        if sign in "'\"`":
            quotes = _ESCAPED_QUOTES if self._is_mysql else _QUOTES
            closed = quotes[sign].match(self._text, end)
            if closed is None:
                raise self._failed(match.start(), "text" if sign == "'" else "quoted name")
            return closed.end()
        if sign.startswith("$") and not self._is_mysql and not self._is_after_word(match.start()):
            return self._end_of(sign, end, match, "text")
        return end

    def _is_after_word(self, position: int) -> bool:
        return position > 0 and self._text[position - 1].isalnum()

    def _end_of(self, sign: str, position: int, match: re.Match[str], name: str) -> int:
        found = self._text.find(sign, position)
        if found < 0:
            raise self._failed(match.start(), name)
        return found + len(sign)

    def _after_copy(self, start: int, end: int, position: int) -> int:
        """The rows that follow COPY ... FROM stdin end with a line of its own."""
        if not _COPY.match(self._text, start, end):
            return position
        found = self._text.find("\n\\.", position)
        return len(self._text) if found < 0 else found + 3

    def _failed(self, position: int, name: str) -> ImportFailed:
        line = self._text.count("\n", 0, position) + 1
        column = position - (self._text.rfind("\n", 0, position) + 1) + 1
        return ImportFailed(f"this {name} is not closed", line, column)


def _first_of(text: str, start: int, end: int) -> int | None:
    """The first character that is no space."""
    part = text[start:end]
    stripped = part.lstrip()
    return end - len(stripped) if stripped else None
