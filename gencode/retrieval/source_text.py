"""Texts in the form in which quotes are compared, with the offsets of the original.

Differences that a quote may have from its source:

    white space     runs of it are one space; none beside characters of Chinese, Japanese and Korean script
    width           full-width ASCII, half-width kana and the ideographic space are as their usual form
    invisible       zero-width spaces and joiners, byte order marks and soft hyphens are nothing

Everything else is compared exactly: case, punctuation, digits.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CJK = "\u2e80-\u303f\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_FULL = "\uff01-\uff5e\uffe0-\uffe6"
_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufeff"
_PLAIN = rf"[^\s{_INVISIBLE}{_FULL}\uff61-\uff9f]"
_SPACED = rf"[^\s{_INVISIBLE}{_FULL}\uff61-\uff9f{_CJK}]"
"""Single spaces between these stay as they are."""
_UNITS = re.compile(
    rf"(?P<plain>(?:{_PLAIN}++|(?<={_SPACED}) (?={_SPACED}))+)|(?P<space>[\s{_INVISIBLE}]+)"
    rf"|(?P<width>[{_FULL}\uff61-\uff65\uff70\uff9e\uff9f]|[\uff66-\uff9d][\uff9e\uff9f]?)"
)
_IS_CJK = re.compile(f"[{_CJK}\uff61-\uff9f]")
MAX_TRIES = 1_000
_IS_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class SourceText:
    """`starts[i]` and `ends[i]`: where the i-th character of `text` comes from in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def comparable(original: str) -> SourceText:
    """The form for comparison; it has no white space at its ends."""
    characters: list[str] = []
    starts, ends = array("L"), array("L")
    for text, start, end in _pieces(original):
        is_plain = len(text) == end - start
        characters.append(text)
        starts.extend(range(start, end) if is_plain else [start] * len(text))
        ends.extend(range(start + 1, end + 1) if is_plain else [end] * len(text))
    return SourceText("".join(characters), starts, ends)


def _pieces(original: str) -> Iterator[tuple[str, int, int]]:
    """Comparable text, and its start and end in the original."""
    for found in _UNITS.finditer(original):
        start, end = found.span()
        if found.lastgroup == "plain":
            yield found[0], start, end
        elif found.lastgroup == "width":
            yield unicodedata.normalize("NFKC", found[0]), start, end
        elif _is_separator(original, found[0], start, end):
            yield " ", start, end


def _is_separator(original: str, blank: str, start: int, end: int) -> bool:
    """Whether white space separates words."""
    if not (start and end < len(original) and _IS_SPACE.search(blank)):
        return False
    return not any(_IS_CJK.match(original[i]) for i in (start - 1, end))


def occurrences(source: SourceText, quote: str, limit: int) -> list[tuple[int, int]]:
    """Where a comparable quote stands as whole words and numbers: starts and ends in the original.

    "5 MB" does not stand in "15 MB", "1.5 MB" or "5 MBit". Of the places where it stands as a part of others,
    the first MAX_TRIES are looked at.
    """
    found: list[tuple[int, int]] = []
    at = source.text.find(quote) if quote else -1
    for _ in range(MAX_TRIES):
        if at < 0 or len(found) == limit:
            break
        end = at + len(quote)
        if not (_continues(source.text, at) or _continues(source.text, end)):
            found.append((source.starts[at], source.ends[end - 1]))
        at = source.text.find(quote, at + 1)
    return found


def _continues(text: str, at: int) -> bool:
    """Whether a word or a number goes on across an offset."""
    before, after = text[max(0, at - 2) : at], text[at : at + 2]
    if not (before and after):
        return False
    if _is_word(before[-1]) and _is_word(after[0]):
        return True
    is_after_point = before[-1] in ".,:" and before[:-1].isdigit() and after[0].isdigit()
    is_before_point = after[0] in ".,:" and after[1:].isdigit() and before[-1].isdigit()
    return is_after_point or is_before_point


def _is_word(character: str) -> bool:
    return (character.isalnum() or character == "_") and not _IS_CJK.match(character)
