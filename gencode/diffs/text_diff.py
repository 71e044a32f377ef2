"""The hunks between two texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gencode.diffs.change_blocks import Block, change_blocks
from gencode.diffs.values import NO_NEWLINE, Hunk

CONTEXT = 3
"""Unchanged lines around a change, as in Git."""
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def split_lines(data: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends a line."""
    return _LINE.findall(data)


def diff_texts(old: bytes, new: bytes, context: int = CONTEXT) -> tuple[Hunk, ...]:
    """The hunks that make `new` of `old`. Time and memory are bounded by the number of lines, see
    `line_matching`."""
    old_lines, new_lines = split_lines(old), split_lines(new)
    groups = _groups(change_blocks(old_lines, new_lines), 2 * context)
    return tuple(_hunk(old_lines, new_lines, group, context) for group in groups)


def _groups(blocks: list[Block], most: int) -> Iterator[list[Block]]:
    """The blocks of each hunk: at most `most` unchanged lines lie between two of them."""
    group: list[Block] = []
    for block in blocks:
        if group and block.old_start - group[-1].old_end > most:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _hunk(old: Sequence[bytes], new: Sequence[bytes], blocks: list[Block], context: int) -> Hunk:
    first, last = blocks[0], blocks[-1]
    before = min(context, first.old_start)
    after = min(context, len(old) - last.old_end)
    old_start, new_start = first.old_start - before, first.new_start - before
    old_count, new_count = last.old_end + after - old_start, last.new_end + after - new_start
    return Hunk(
        old_start=old_start + bool(old_count),
        old_count=old_count,
        new_start=new_start + bool(new_count),
        new_count=new_count,
        added=sum(block.new_end - block.new_start for block in blocks),
        deleted=sum(block.old_end - block.old_start for block in blocks),
        body=b"".join(_body(old, new, blocks, old_start, last.old_end + after)),
    )


def _body(
    old: Sequence[bytes], new: Sequence[bytes], blocks: list[Block], at: int, end: int
) -> Iterator[bytes]:
    for block in blocks:
        yield from _signed(b" ", old[at : block.old_start])
        yield from _signed(b"-", old[block.old_start : block.old_end])
        yield from _signed(b"+", new[block.new_start : block.new_end])
        at = block.old_end
    yield from _signed(b" ", old[at:end])


def _signed(sign: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield sign
        yield line
        if not line.endswith(b"\n"):
            yield b"\n" + NO_NEWLINE
