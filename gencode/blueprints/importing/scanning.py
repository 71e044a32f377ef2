"""Splits a text into tokens, in time that is proportional to its length; reads them one by one.

A language gives a regular expression for each kind of token. None of them may match the same text in two
ways, so that no text makes them search for long.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gencode.blueprints.importing.imported import ImportFailed

MAX_TOKENS = 1_000_000
MAX_NESTING = 50
"""Of brackets within brackets."""
END = "end"


class Token(NamedTuple):
    """start, end  characters of the text
    line       from 1
    """

    kind: str
    text: str
    start: int
    end: int
    line: int


class Language:
    """`kinds`: regular expressions by the kind of token, tried in this order. A token whose kind begins with
    `_` is left out; `unclosed`: the message where a character begins what no kind matches."""

    def __init__(self, kinds: Mapping[str, str], unclosed: Mapping[str, str]) -> None:
        self._kinds = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in kinds.items()), re.S)
        self._unclosed = unclosed

    def tokens(self, text: str) -> list[Token]:
        """The last one has the kind END. Raises ImportFailed."""
        lines = _Lines(text)
        found = [*self._tokens(text, lines)]
        found.append(Token(END, "", len(text), len(text), lines.line(len(text))))
        return found

    def _tokens(self, text: str, lines: _Lines) -> Iterator[Token]:
        position = count = 0
        while position < len(text):
            match = self._kinds.match(text, position)
            if match is None or match.end() == position:
                raise lines.failed(self._problem(text, position), position)
            kind = str(match.lastgroup)
            if not kind.startswith("_"):
                count += 1
                if count > MAX_TOKENS:
                    raise lines.failed(f"the text has more than {MAX_TOKENS:,} words and signs", position)
                yield Token(kind, match.group(), position, match.end(), lines.line(position))
            position = match.end()

    def _problem(self, text: str, position: int) -> str:
        for start, problem in self._unclosed.items():
            if text.startswith(start, position):
                return problem
        return f"the character {text[position]!r} is not expected"


class _Lines:
    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line(self, position: int) -> int:
        return bisect_right(self._starts, position)

    def failed(self, message: str, position: int) -> ImportFailed:
        line = self.line(position)
        return ImportFailed(message, line, position - self._starts[line - 1] + 1)


class TokenReader:
    """Reads tokens from the first to the last."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._position = 0
        self._nesting = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._position]

    @property
    def previous(self) -> Token:
        return self._tokens[max(self._position - 1, 0)]

    def after(self, distance: int = 1) -> Token:
        return self._tokens[min(self._position + distance, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        if token.kind != END:
            self._position += 1
        return token

    def at(self, *signs: str) -> bool:
        """Whether the next token is one of these signs or words (not a string of this content)."""
        return self.next.kind in ("sign", "word") and self.next.text in signs

    def at_word(self, *words: str) -> bool:
        """The same without regard to case; `words` in lower case."""
        return self.next.kind == "word" and self.next.text.lower() in words

    def accept(self, *signs: str) -> bool:
        if self.at(*signs):
            self.take()
            return True
        return False

    def expect(self, sign: str, where: str) -> Token:
        if not self.at(sign):
            raise self.failed(f"{where} needs {sign!r} here, not {self.shown()}")
        return self.take()

    def expect_kind(self, kinds: Sequence[str], what: str) -> Token:
        if self.next.kind not in kinds:
            raise self.failed(f"{what} is expected here, not {self.shown()}")
        return self.take()

    def shown(self) -> str:
        return "the end of the text" if self.next.kind == END else repr(self.next.text[:50])

    def skip_block(self, opening: str, closing: str) -> None:
        """From an opening sign to the one that closes it. Raises ImportFailed."""
        first = self.expect(opening, "this block")
        depth = 1
        while depth:
            token = self.take()
            if token.kind == END:
                raise self.failed(f"this {opening!r} is not closed", first)
            if token.kind == "sign":
                depth += (token.text == opening) - (token.text == closing)

    def nested(self, step: int) -> None:
        """Counts brackets within brackets: +1 and -1. Raises ImportFailed."""
        self._nesting += step
        if self._nesting > MAX_NESTING:
            raise self.failed(f"brackets are nested deeper than {MAX_NESTING}")

    def source(self, start: int, end: int) -> str:
        return self._text[start:end]

    def failed(self, message: str, token: Token | None = None) -> ImportFailed:
        place = token or self.next
        column = place.start - (self._text.rfind("\n", 0, place.start) + 1) + 1
        return ImportFailed(message, place.line, column)
