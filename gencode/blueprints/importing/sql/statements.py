"""Splits SQL into statements, in time that is proportional to its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gencode.blueprints.importing.imported import ImportFailed

_SPECIAL = re.compile(
    r"(?P<comment>--|^[ \t]*#(?=[ \t#\r\n]))|(?P<remark>^[ \t]*(?:REM|REMARK|PROMPT)\b)"
    r"|/\*|#|'|\"|`|\$\w{0,60}\$|;|^[ \t]*(?:DELIMITER[ \t]+(?P<delimiter>\S+)[ \t]*|GO[ \t]*|/[ \t]*)$",
    re.M | re.I,
)
_COPY = re.compile(r"\s*COPY\b[^;]*\bFROM\s+stdin\b", re.I)
_QUOTES = {quote: re.compile(rf"[^{quote}]*{quote}") for quote in "'\"`"}
_ESCAPED_QUOTES = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*{quote}", re.S) for quote in "'\"`"}
MAX_STATEMENTS = 100_000
_MAX_SEPARATED = 500_000
"""Characters of a statement in which others are looked for."""
_CONDITION = re.compile(r"!\d{5,6}")
_ROUTINE = re.compile(
    r"(?:CREATE|ALTER)\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:\S+\s+){0,4}?"
    r"(?:PROC|PROCEDURE|FUNCTION|TRIGGER|PACKAGE|EVENT|VIEW|RULE)\b|INSERT\b|DO\b",
    re.I,
)
_INNER_TABLE = re.compile(r"^[ \t]*(?:CREATE|ALTER)\s+(?:\w+\s+){0,3}TABLE\b", re.I | re.M)
_BOUNDARY = re.compile(
    r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[()]"
    r"|^[ \t]*(?P<word>(?:CREATE|ALTER|DROP)\s+(?:\w+\s+){0,3}(?:TABLE|INDEX|TYPE)|INSERT|EXEC|EXECUTE"
    r"|IF|PRINT|DECLARE|BEGIN|END|USE|GO|UPDATE\s+STATISTICS|COMMENT\s+ON|GRANT)\b",
    re.I | re.M,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """`line`: of its first character that is no comment."""

    text: str
    line: int


def statements(text: str, dialect: str) -> Iterator[Statement]:
    """Raises ImportFailed for a text or a comment that does not end."""
    text = _without_conditions(text) if dialect == "mysql" else text
    splitter = _Splitter(text, dialect)
    for count, (start, end) in enumerate(splitter.spans()):
        if count > MAX_STATEMENTS:
            raise ImportFailed(f"the text has more than {MAX_STATEMENTS:,} statements")
        yield from _separated(Statement(text=text[start:end], line=splitter.line(start)))


def _without_conditions(text: str) -> str:
    """`/*!50001 CREATE VIEW v */` of MySQL is a statement: its signs become spaces, so that places stay."""
    parts: list[str] = []
    position = 0
    while (start := text.find("/*", position)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        sign = _CONDITION.match(text, start + 2)
        if sign is None:
            parts.append(text[position : end + 2])
        else:
            parts += [text[position:start], " " * (sign.end() - start), text[sign.end() : end], "  "]
        position = end + 2
    return "".join([*parts, text[position:]])


def _separated(statement: Statement) -> Iterator[Statement]:
    """SQL Server needs no semicolon: a line that begins with such a word begins another statement."""
    text = statement.text
    if len(text) > _MAX_SEPARATED or _ROUTINE.match(text) or _INNER_TABLE.search(text, 1) is None:
        yield statement
        return
    start = depth = 0
    for match in _BOUNDARY.finditer(text):
        sign = match.group()
        depth += (sign == "(") - (sign == ")")
        if match["word"] and depth <= 0 and match.start() > start:
            yield _part(statement, start, match.start())
            start = match.start()
    yield _part(statement, start, len(text))


def _part(statement: Statement, start: int, end: int) -> Statement:
    text = statement.text[start:end]
    first = len(text) - len(text.lstrip())
    line = statement.line + statement.text.count("\n", 0, start + first)
    return Statement(text=text.strip(), line=line)


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
            if match["remark"] and start is not None:
                position = match.end()  # a column of this name
                continue
            position = self._after(match)
            if self._is_end(match):
                if start is not None:
                    yield start, found
                    position = self._after_copy(start, found, position)
                start = None
            elif start is None and self._is_text(match):
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

    def _is_text(self, match: re.Match[str]) -> bool:
        """Whether the sign is part of a statement: no comment."""
        sign = match.group()
        return sign[0] in "'\"`$" or (sign == "#" and not self._is_mysql)

    def _after(self, match: re.Match[str]) -> int:
        """A `#` and a space at the start of a line are a comment in no standard, but in many scripts; so are
        REM and PROMPT of Oracle."""
        sign, end = match.group(), match.end()
        if match["comment"] or match["remark"] or (sign == "#" and self._is_mysql):
            line_end = self._text.find("\n", end)
            return len(self._text) if line_end < 0 else line_end
        if sign == "/*":
            return self._end_of("*/", end, match, "comment")
        if sign in "'\"`":
            quotes = _ESCAPED_QUOTES if self._is_mysql or self._is_escaped(match.start()) else _QUOTES
            closed = quotes[sign].match(self._text, end)
            if closed is None:
                raise self._failed(match.start(), "text" if sign == "'" else "quoted name")
            return closed.end()
        if sign.startswith("$") and not self._is_mysql and not self._is_after_word(match.start()):
            return self._end_of(sign, end, match, "text")
        return end

    def _is_escaped(self, position: int) -> bool:
        """E'it\\'s' of PostgreSQL."""
        before = self._text[max(position - 2, 0) : position]
        return before[-1:] in ("E", "e") and not (before[:1].isalnum() and len(before) > 1)

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
