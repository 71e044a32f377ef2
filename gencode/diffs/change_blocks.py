"""The changed blocks of two texts, each moved to where people expect it.

An added block that is followed by a copy of its first line could as well begin one line later:

     def a():                      def a():
    +    pass                          pass
    +                             +
    +def b():           or        +def b():
         pass                     +    pass

The longest common subsequence leaves this open. As Git does, the block is moved so that it begins and ends
at less indented lines and behind empty ones, otherwise as far down as possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gencode.diffs.line_matching import changed_lines

_MAX_SHIFT = 100
"""Lines that a block is moved at most."""
_MAX_BLANKS = 20
_TAB_WIDTH = 8
_INDENT = re.compile(rb"[ \t]*")
_MAX_INDENT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The lines old_start to old_end of the old text are replaced by new_start to new_end of the new one.
    Positions from 0, the end excluded; one of the two may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int

    def moved(self, lines: int) -> Block:
        return Block(
            old_start=self.old_start + lines,
            old_end=self.old_end + lines,
            new_start=self.new_start + lines,
            new_end=self.new_end + lines,
        )


def change_blocks(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """In their order, with unchanged lines between them. `old`, `new`: lines with their ends."""
    blocks = list(_blocks(*changed_lines(old, new)))
    end = Block(old_start=len(old) + 1, old_end=len(old) + 1, new_start=len(new) + 1, new_end=len(new) + 1)
    before = Block(old_start=-1, old_end=-1, new_start=-1, new_end=-1)
    for n, block in enumerate(blocks):
        after = blocks[n + 1] if n + 1 < len(blocks) else end
        if block.old_start == block.old_end:
            room = block.new_start - before.new_end - 1, after.new_start - block.new_end - 1
            block = block.moved(_best_shift(new, block.new_start, block.new_end, *room))
        elif block.new_start == block.new_end:
            room = block.old_start - before.old_end - 1, after.old_start - block.old_end - 1
            block = block.moved(_best_shift(old, block.old_start, block.old_end, *room))
        blocks[n] = before = block
    return blocks


def _blocks(old_changed: bytearray, new_changed: bytearray) -> Iterator[Block]:
    i = j = 0
    while True:
        run = min(_distance(old_changed, i, 1), _distance(new_changed, j, 1))
        i, j = i + run, j + run
        if i == len(old_changed) and j == len(new_changed):
            return
        block = Block(
            old_start=i,
            old_end=i + _distance(old_changed, i, 0),
            new_start=j,
            new_end=j + _distance(new_changed, j, 0),
        )
        yield block
        i, j = block.old_end, block.new_end


def _distance(flags: bytearray, at: int, wanted: int) -> int:
    """To the next flag that is `wanted`, or to the end."""
    found = flags.find(wanted, at)
    return (len(flags) if found < 0 else found) - at


def _best_shift(lines: Sequence[bytes], start: int, end: int, room_up: int, room_down: int) -> int:
    """Lines to move a block of one side; negative is up."""
    most_up, most_down = min(room_up, _MAX_SHIFT), min(room_down, _MAX_SHIFT)
    up = down = 0
    while up < most_up and lines[start - up - 1] == lines[end - up - 1]:
        up += 1
    while down < most_down and lines[start + down] == lines[end + down]:
        down += 1
    if not up + down:
        return 0
    return min(range(down, -up - 1, -1), key=lambda n: _cost(lines, start + n) + _cost(lines, end + n))


def _cost(lines: Sequence[bytes], at: int) -> float:
    """Of a block that begins or ends before this line."""
    if at == len(lines):
        return 0
    blanks = _blanks(lines, at, 1)
    indent = _indent(lines[at + blanks]) if at + blanks < len(lines) else 0
    return 60 * indent - 30 * (_blanks(lines, at - 1, -1) + blanks) + 6 * blanks


def _blanks(lines: Sequence[bytes], at: int, step: int) -> int:
    """Empty lines from a line on."""
    count = 0
    while count < _MAX_BLANKS and 0 <= at < len(lines) and not lines[at].strip():
        at, count = at + step, count + 1
    return count


def _indent(line: bytes) -> int:
    found = _INDENT.match(line, 0, _MAX_INDENT)
    return len(found[0].expandtabs(_TAB_WIDTH)) if found else 0
