"""Which bytes of a .doc file are text that was deleted while changes were tracked.

[MS-DOC] names the fields: PlcBteChpx in the table stream names the pages (ChpxFkp) of the stream WordDocument
that have the properties of runs of characters; a property (Sprm) has a number, whose upper bits are the size
of its value.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress

Range = tuple[int, int]
"""Start and end, in bytes of the stream WordDocument."""
_FIB_CHARACTER_PAGES = 0xFA
_PAGE_SIZE, _PAGE_NUMBER = 512, 0x3FFFFF
_IS_DELETED = 0x0800
_VALUE_SIZES = (1, 1, 2, 4, 2, 2, None, 3)
"""By the upper three bits; a value without a size begins with it."""


def deleted_ranges(main: bytes, table: bytes) -> Sequence[Range]:
    """In the order of the file. What cannot be read counts as not deleted."""
    found: list[Range] = []
    with suppress(struct.error, IndexError):
        for number in _page_numbers(main, table):
            page = main[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE]
            found += _deleted_in_page(page)
    return sorted(found)


def kept(start: int, end: int, deleted: Sequence[Range]) -> Iterator[tuple[Range, bool]]:
    """The parts of a range, and whether each is kept."""
    index = max(bisect_right(deleted, (start,)) - 1, 0)
    while start < end:
        while index < len(deleted) and deleted[index][1] <= start:
            index += 1
        first, last = deleted[index] if index < len(deleted) else (end, end)
        if first > start:
            yield (start, min(first, end)), True
        if first < end:
            yield (max(first, start), min(last, end)), False
        start = max(last, start) if first < end else end


def _page_numbers(main: bytes, table: bytes) -> Iterator[int]:
    start, size = struct.unpack_from("<II", main, _FIB_CHARACTER_PAGES)
    pages = table[start : start + size]
    count = max(len(pages) - 4, 0) // 8
    for index in range(count):
        yield struct.unpack_from("<I", pages, 4 * (count + 1) + 4 * index)[0] & _PAGE_NUMBER


def _deleted_in_page(page: bytes) -> Iterator[Range]:
    count = page[-1]
    bounds = struct.unpack_from(f"<{count + 1}I", page, 0)
    for index in range(count):
        at = 2 * page[4 * (count + 1) + index]
        if at and _is_deleted(page[at + 1 : at + 1 + page[at]]) and bounds[index] < bounds[index + 1]:
            yield bounds[index], bounds[index + 1]


def _is_deleted(properties: bytes) -> bool:
    at, found = 0, False
    while at + 3 <= len(properties):
        (number,) = struct.unpack_from("<H", properties, at)
        size = _VALUE_SIZES[number >> 13]
        if number == _IS_DELETED:
            found = properties[at + 2] == 1
        at += 2 + (1 + properties[at + 2] if size is None else size)
    return found
