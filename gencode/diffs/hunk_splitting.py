"""Cuts a hunk that is too long for one call of a model into hunks that follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gencode.diffs.rendering import MAX_HEAD, rendered_size
from gencode.diffs.values import NO_NEWLINE, Hunk, Line, LineKind, Side

_SIGNS = {LineKind.CONTEXT: b" ", LineKind.DELETED: b"-", LineKind.ADDED: b"+"}


def split_hunk(hunk: Hunk, max_chars: int) -> list[Hunk]:
    """Hunks whose lines, one after the other, are those of `hunk`. Each is rendered in at most `max_chars`
    characters, except one that has a single line."""
    old, new = hunk.first_line(Side.OLD), hunk.first_line(Side.NEW)
    parts = []
    for lines in _groups(hunk.lines(), max_chars - MAX_HEAD):
        part = _hunk(lines, old, new, hunk.section)
        parts.append(part)
        old, new = old + part.old_count, new + part.new_count
    return [hunk] if len(parts) == 1 else parts


def _groups(lines: Iterator[Line], max_chars: int) -> Iterator[list[Line]]:
    group: list[Line] = []
    size = 0
    for line in lines:
        line_size = rendered_size(line)
        if group and size + line_size > max_chars:
            yield group
            group, size = [], 0
        group.append(line)
        size += line_size
    if group:
        yield group


def _hunk(lines: Sequence[Line], old: int, new: int, section: bytes) -> Hunk:
    """`old`, `new`: the numbers of the next line of each side."""
    added = sum(line.kind is LineKind.ADDED for line in lines)
    deleted = sum(line.kind is LineKind.DELETED for line in lines)
    old_count, new_count = len(lines) - added, len(lines) - deleted
    return Hunk(
        old_start=old - (old_count == 0),
        old_count=old_count,
        new_start=new - (new_count == 0),
        new_count=new_count,
        added=added,
        deleted=deleted,
        body=b"".join(_with_sign(line) for line in lines),
        section=section,
    )


def _with_sign(line: Line) -> bytes:
    return _SIGNS[line.kind] + line.text + b"\n" + (b"" if line.has_newline else NO_NEWLINE)
