"""Which lines of two texts are the same: the longest common subsequence, as `git diff --minimal` finds it.

Where that takes too much memory, lines that occur once in both texts divide it into smaller problems
(patience diff), and what remains too large counts as replaced.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module

MAX_CELLS = 2**27
"""Of the bit matrix of one comparison: 16 MB, and a tenth of a second."""


def changed_lines(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[bytearray, bytearray]:
    """A 1 for each line that is only in the old or only in the new text, in their order; else a 0.

    The lines with a 0 are the same on both sides, one after the other.
    """
    numbers: dict[bytes, int] = {}
    old_keys = [numbers.setdefault(line, len(numbers)) for line in old]
    new_keys = [numbers.setdefault(line, len(numbers)) for line in new]
    old_changed, new_changed = bytearray(b"\1") * len(old), bytearray(b"\1") * len(new)
    for i, j, count in _equal_runs(old_keys, new_keys):
        old_changed[i : i + count] = bytes(count)
        new_changed[j : j + count] = bytes(count)
    return old_changed, new_changed


def _equal_runs(old: list[int], new: list[int]) -> Iterator[tuple[int, int, int]]:
    """Positions in both and lengths of what is equal."""
    begin = _common_prefix(old, new)
    end = _common_suffix(old, new, min(len(old), len(new)) - begin)
    yield 0, 0, begin
    yield from _middle(old, new, begin, len(old) - end, len(new) - end)
    yield len(old) - end, len(new) - end, end


def _common_prefix(old: list[int], new: list[int]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )


def _common_suffix(old: list[int], new: list[int], most: int) -> int:
    pairs = enumerate(zip(reversed(old), reversed(new), strict=False))
    return min(most, next((n for n, (a, b) in pairs if a != b), most))


def _middle(
    old: list[int], new: list[int], begin: int, old_end: int, new_end: int
) -> Iterator[tuple[int, int, int]]:
    """Lines that only one side has cannot be equal, and are left out of the comparison."""
    shared = set(old[begin:old_end]) & set(new[begin:new_end])
    old_at = [n for n in range(begin, old_end) if old[n] in shared]
    new_at = [n for n in range(begin, new_end) if new[n] in shared]
    old_part, new_part = [old[n] for n in old_at], [new[n] for n in new_at]
    for i, j in _pairs(old_part, new_part):
        yield old_at[i], new_at[j], 1


def _pairs(old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
    """Positions of equal lines."""
    if len(old) * len(new) <= MAX_CELLS:
        yield from _longest_common(old, new)
        return
    anchors = [*_unique_in_order(old, new), (len(old), len(new))]
    i = j = 0
    for next_i, next_j in anchors:
        if (next_i - i) * (next_j - j) <= MAX_CELLS:
            for a, b in _longest_common(old[i:next_i], new[j:next_j]):
                yield i + a, j + b
        if next_i < len(old):
            yield next_i, next_j
        i, j = next_i + 1, next_j + 1


def _longest_common(old: list[int], new: list[int]) -> Iterator[tuple[int, int]]:
    distance = import_module("rapidfuzz.distance")  # 47 modules that only comparisons need
    for part in distance.LCSseq.opcodes(old, new):
        if part.tag == "equal":
            yield from zip(
                range(part.src_start, part.src_end), range(part.dest_start, part.dest_end), strict=True
            )


def _unique_in_order(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """The longest series of lines that occur once on each side, in the order of both."""
    old_counts, new_counts = Counter(old), Counter(new)
    place = {key: j for j, key in enumerate(new) if new_counts[key] == 1}
    unique = [(i, place[key]) for i, key in enumerate(old) if old_counts[key] == 1 and key in place]
    return _longest_increasing(unique)


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """By their second number; patience sorting."""
    tops: list[int] = []
    top_index: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        pile = bisect.bisect_left(tops, j)
        before.append(top_index[pile - 1] if pile else -1)
        tops[pile : pile + 1], top_index[pile : pile + 1] = [j], [n]
    series = []
    n = top_index[-1] if top_index else -1
    while n >= 0:
        series.append(pairs[n])
        n = before[n]
    return series[::-1]
