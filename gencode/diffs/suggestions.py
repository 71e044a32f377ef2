"""Applies replacements of lines that a model suggests, or refuses them: nothing is sought or guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gencode.diffs.text_diff import split_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """Lines `first` to `last` of a file, from 1, become `replacement`; "" deletes them.

    old  the text that these lines must have, to the last character; only the line ends may be LF for CRLF,
         and one line feed at the end is optional in both texts
    """

    first: int
    last: int
    old: str
    replacement: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a suggestion is not offered."""

    reason: str


def apply_suggestion(data: bytes, suggestion: Suggestion) -> bytes | Refusal:
    """The file with the replacement. Its line ends and the missing line feed at its end are kept."""
    return apply_suggestions(data, [suggestion])


def apply_suggestions(data: bytes, suggestions: Sequence[Suggestion]) -> bytes | Refusal:
    """All of them or none: numbers and texts are those of `data`."""
    lines = split_lines(data)
    ordered = sorted(suggestions, key=lambda suggestion: suggestion.first)
    parts: list[bytes] = []
    at = 0
    for suggestion in ordered:
        if reason := _refusal(lines, suggestion, at):
            return Refusal(reason=reason)
        begin = suggestion.first - 1
        parts += lines[at:begin]
        parts.append(_replacement(lines[begin : suggestion.last], suggestion.replacement))
        at = suggestion.last
    return b"".join([*parts, *lines[at:]])


def _refusal(lines: Sequence[bytes], suggestion: Suggestion, at: int) -> str:
    """ "" if the suggestion applies. `at`: the lines that suggestions before it have replaced."""
    first, last = suggestion.first, suggestion.last
    if not 1 <= first <= last:
        return "It names no lines"
    if last > len(lines):
        return f"The file has {len(lines)} lines only"
    if first <= at:
        return f"Line {first} is replaced by another suggestion"
    present = _text(b"".join(lines[first - 1 : last]))
    if present is None:
        return "These lines are not UTF-8"
    if present != _with_line_feeds(suggestion.old):
        return "These lines have another text than the suggestion replaces"
    if suggestion.replacement and _with_line_feeds(suggestion.replacement) == present:
        return "The replacement is the text that stands there"
    return "" if _is_encodable(suggestion.replacement) else "The replacement is not valid text"


def _text(data: bytes) -> str | None:
    try:
        return _with_line_feeds(data.decode())
    except UnicodeDecodeError:
        return None


def _with_line_feeds(text: str) -> str:
    """With LF for CRLF, and without one at the end."""
    return text.replace("\r\n", "\n").removesuffix("\n")


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _replacement(replaced: Sequence[bytes], text: str) -> bytes:
    """With the line ends of the lines that it replaces; "\\n" alone is one empty line."""
    if not text:
        return b""
    end = b"\r\n" if replaced[0].endswith(b"\r\n") else b"\n"
    new = _with_line_feeds(text).encode().replace(b"\n", end)
    return new + end if replaced[-1].endswith(b"\n") else new
