"""Makes the new text of an old one and hunks: the proof that a diff is right."""

from __future__ import annotations

from collections.abc import Iterable

from gencode.diffs import Hunk, LineKind
from gencode.diffs.text_diff import split_lines


def applied(old: bytes, hunks: Iterable[Hunk]) -> bytes:
    """Fails where a hunk does not fit the text exactly."""
    lines = split_lines(old)
    made: list[bytes] = []
    at = 0
    for hunk in hunks:
        begin = hunk.old_start - (hunk.old_count > 0)
        made += lines[at:begin]
        at = begin
        assert len(made) + 1 == hunk.new_start + (hunk.new_count == 0)
        for line in hunk.lines():
            text = line.text + b"\n" * line.has_newline
            if line.kind is not LineKind.ADDED:
                assert lines[at] == text
                assert line.old == at + 1
                at += 1
            if line.kind is not LineKind.DELETED:
                made.append(text)
                assert line.new == len(made)
    return b"".join([*made, *lines[at:]])
