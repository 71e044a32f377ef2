"""An answer that holds the file twice, or begins it anew in the middle."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.codegen.inspected_file import InspectedFile

_COMMENTS = ("//", "/*", " *", "-- ", "#!", "# ")
_NOT_CODE = frozenset({"", "prose", "json", "xml", "yaml"})
"""Languages in which equal blocks are common."""
_LINES = 3
"""How many distinct equal lines prove a repetition."""
_CHARACTERS = 50
_HTML_CHARACTERS = 25
_COPY_CHARACTERS = 40


def copied(text: str) -> str:
    """The first line of a text that consists of two equal halves; "" if it does not."""
    half = len(text) // 2
    for end in range(max(half - 2, 0), half + 1):
        first, second = text[:end].strip(), text[end:].strip()
        if first == second and len(first) >= _COPY_CHARACTERS and _is_distinctive(first.split("\n")):
            return f"{first.partition(chr(10))[0]} (all of it twice)"
    return ""


def _is_distinctive(lines: Sequence[str]) -> bool:
    """Whether the first lines occur once."""
    return len({*lines[:_LINES]}) == _LINES and not set(lines[:_LINES]) & set(lines[_LINES:])


def restarted(file: InspectedFile, lines: Sequence[str]) -> str:
    """The first line of a source file that begins anew, perhaps in the middle of a line: its first lines, too
    long for a coincidence, occur again, and once."""
    if file.language in _NOT_CODE or file.is_document:
        return ""
    solid = [line.rstrip() for line in lines if line.strip() and not line.startswith(_COMMENTS)]
    head = solid[:_LINES]
    least = _HTML_CHARACTERS if file.language == "html" else _CHARACTERS
    if len(set(head)) < _LINES or sum(map(len, head)) < least or head[0].startswith("@"):
        return ""
    starts = [n for n, line in enumerate(solid) if n and line.endswith(head[0])]
    is_again = len(starts) == 1 and solid[starts[0] + 1 : starts[0] + _LINES] == head[1:]
    return f"{head[0]} (again)" if is_again else ""
