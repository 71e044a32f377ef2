"""Reads JSON as models write it, and finds the requested object in an answer.

Beyond JSON it takes raw newlines in strings, unescaped quotes within them, unknown escapes, single and
typographic quotes, bare words, comments, trailing and missing commas. Text that is cut stays an error: what
is missing is never made up. Each character is read a bounded number of times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 100
WORK_PER_CHARACTER = 2
"""How often the characters of an answer may be read in search of the object, on average."""
MAX_STARTS = 200
"""Brackets that are tried as the start of the value."""
MAX_STRICT_STARTS = 20
"""Brackets that are first tried with Python's reader, whose every error costs a pass over the whole text."""
_SPACE = re.compile(r"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|\#[^\n]*+)*+")
_STRING_END = r"(?![ \t]*+(?:[,:\]}\r\n]|//|/\*|\Z))"  # follows a quote that belongs to the text
_STRINGS = {
    '"': re.compile(rf'"((?:[^"\\]++|\\.|"{_STRING_END})*+)"', re.DOTALL),
    "'": re.compile(rf"'((?:[^'\\]++|\\.|'{_STRING_END})*+)'", re.DOTALL),
    "“": re.compile(r"“((?:[^”\\]++|\\.)*+)”", re.DOTALL),
    "”": re.compile(r"”((?:[^”\\]++|\\.)*+)”", re.DOTALL),
}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_BARE = re.compile(r"[^\s,:\[\]{}\"'“”]++")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = ("null", "None", "undefined", "NaN", "Infinity", "-Infinity")
_CLOSING = {"{": "}", "[": "]"}


class NotJson(ValueError):
    """`position`: how far the text was read."""

    def __init__(self, position: int) -> None:
        super().__init__(f"no JSON at character {position}")
        self.position = position


def find_object(answer: str, key: str) -> dict[str, Any] | None:
    """The first JSON object in an answer that has this key, or that holds one that has."""
    return next(find_objects(answer, key), None)


def find_objects(answer: str, key: str) -> Iterator[dict[str, Any]]:
    """All of them, in order; of nested ones the outermost."""
    return (found for value in _values(answer, "{") if (found := _with_key(value, key)))


def find_list(answer: str) -> list[Any] | None:
    """The first JSON list of objects in an answer."""
    for value in _values(answer, "["):
        if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            return value
    return None


def read_value(text: str, start: int, *, strict_first: bool = True) -> tuple[Any, int]:
    """The object or list that begins at `start`, and the index after it. Raises NotJson."""
    if strict_first:
        try:
            return _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            pass
    return _LenientReader(text, start).read()


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse_constant)


def _values(answer: str, opening: str) -> Iterator[Any]:
    """Every value that begins with this bracket, apart from those within another one."""
    at, starts, work = answer.find(opening), 0, WORK_PER_CHARACTER * len(answer)
    while at >= 0 and work > 0 and starts < MAX_STARTS:
        starts += 1
        try:
            value, end = read_value(answer, at, strict_first=starts <= MAX_STRICT_STARTS)
        except NotJson as error:
            work -= error.position - at
            end = at + 1
        else:
            yield value
        at = answer.find(opening, end)


def _with_key(value: Any, key: str) -> dict[str, Any] | None:
    values = [value]
    for candidate in values:
        if isinstance(candidate, dict):
            if key in candidate:
                return candidate
            values.extend(candidate.values())
        elif isinstance(candidate, list):
            values.extend(candidate)
    return None


class _LenientReader:
    """Reads one object or list; its own stack in place of recursion."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._at = start
        self._stack: list[dict[str, Any] | list[Any]] = []

    def read(self) -> tuple[Any, int]:
        root = self._open()
        while self._stack:
            container = self._stack[-1]
            self._skip(",")
            if self._peek() == ("}" if isinstance(container, dict) else "]"):
                self._at += 1
                self._stack.pop()
            elif isinstance(container, dict):
                key = self._scalar()
                self._expect(":")
                container[str(key)] = self._value()
            else:
                container.append(self._value())
        return root, self._at

    def _value(self) -> Any:
        return self._open() if self._peek() in _CLOSING else self._scalar()

    def _open(self) -> dict[str, Any] | list[Any]:
        if self._peek() not in _CLOSING or len(self._stack) >= MAX_DEPTH:
            raise NotJson(self._at)
        value: dict[str, Any] | list[Any] = {} if self._text[self._at] == "{" else []
        self._at += 1
        self._stack.append(value)
        return value

    def _scalar(self) -> Any:
        if pattern := _STRINGS.get(self._peek()):
            if not (found := pattern.match(self._text, self._at)):
                raise NotJson(len(self._text))
            self._at = found.end()
            return _ESCAPE.sub(_unescaped, found[1])
        if not (found := _BARE.match(self._text, self._at)):
            raise NotJson(self._at)
        self._at = found.end()
        return _bare_value(found[0])

    def _skip(self, mark: str) -> None:
        """Space and comments, and one such mark."""
        if self._peek() == mark:
            self._at += 1

    def _expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise NotJson(self._at)
        self._at += 1

    def _peek(self) -> str:
        """The next character that is neither space nor comment; "" at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    return _ESCAPED.get(escape, escape)


def _bare_value(word: str) -> Any:
    if word in _CONSTANTS or word in _NULLS:
        return _CONSTANTS.get(word)
    if _NUMBER.fullmatch(word):
        return float(word) if "." in word else int(word)
    return word
