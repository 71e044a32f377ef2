"""Reads the hunks of one file of a patch. The counts of a header decide which lines are the hunk's, so code
that looks like a header stays code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gencode.diffs.patch_reader import PatchReader
from gencode.diffs.values import NO_NEWLINE, Hunk, Side

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)", re.DOTALL)
_MAX_NUMBER = 2**31 - 1
_MAX_SECTION = 200
_NO_LINE_FEED = (
    "the patch ends within a line: it is cut off, or its last line feed was removed; upload what Git wrote"
)
_SPACE, _PLUS, _MINUS, _BACKSLASH, _LINE_FEED, _CARRIAGE_RETURN = b" +-\\\n\r"
_SIGNATURE = re.compile(rb"-- \r?(?:\n|\Z)|--\r?\n\d+\.\d")
"""A mail of `git format-patch` ends with it."""


def read_hunks(reader: PatchReader, *, crlf: bool) -> Iterator[Hunk]:
    """All hunks up to what is not one.

    crlf   the headers end with CRLF: the patch was converted, and one carriage return of each line is none
           of the code
    """
    old_end = new_end = 0
    while reader.starts_with(b"@@ "):
        at = reader.at
        hunk = _Hunk(reader).read(crlf)
        old, new = hunk.first_line(Side.OLD), hunk.first_line(Side.NEW)
        if old < old_end or new < new_end:
            raise reader.error("this hunk begins before the end of the one above it", at)
        old_end, new_end = old + hunk.old_count, new + hunk.new_count
        yield hunk


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: bytes


def _header(reader: PatchReader) -> _Header:
    line = reader.peek()
    if not (found := _HEADER.fullmatch(line)):
        raise reader.error(f"this is not the header of a hunk: {line[:60].decode('utf-8', 'replace')!r}")
    numbers = [1 if group is None else _number(group) for group in found.groups()[:4]]
    if max(numbers) > _MAX_NUMBER:
        raise reader.error("a line number of this hunk is larger than any file")
    old_start, old_count, new_start, new_count = numbers
    if not (old_count or new_count):
        raise reader.error("this hunk has no lines")
    if (old_count and not old_start) or (new_count and not new_start):
        raise reader.error("lines are numbered from 1, and this hunk begins at 0")
    return _Header(
        old_start=old_start,
        old_count=old_count,
        new_start=new_start,
        new_count=new_count,
        section=found[5][:_MAX_SECTION].strip(),
    )


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) <= 10 else _MAX_NUMBER + 1


class _Hunk:
    """One hunk while it is read."""

    def __init__(self, reader: PatchReader) -> None:
        self._reader = reader
        self._begin = reader.at
        self._header = _header(reader)
        self._old, self._new = self._header.old_count, self._header.new_count
        self._added = self._deleted = 0
        self._parts: list[bytes] = []
        self._kept = 0
        self._old_ended = self._new_ended = False
        self._last_sign = 0

    def read(self, crlf: bool) -> Hunk:
        self._reader.count_hunk(max(self._old, self._new))
        self._reader.skip()
        self._kept = self._reader.at
        while self._old or self._new:
            self._read_line()
        self._read_end_mark()
        self._check_end()
        return self._hunk(crlf)

    def _read_line(self) -> None:
        reader = self._reader
        if reader.is_at_end:
            raise reader.error(
                f"the patch ends within this hunk, {max(self._old, self._new)} lines early: it is cut off",
                self._begin,
            )
        sign = reader.data[reader.at]
        if sign in (_LINE_FEED, _CARRIAGE_RETURN):
            self._read_blank()
        elif sign == _BACKSLASH:
            self._read_mark()
        else:
            self._count(sign)
            reader.skip()
            if reader.at > len(reader.data):
                raise reader.error(_NO_LINE_FEED)
            self._last_sign = sign

    def _count(self, sign: int) -> None:
        """Raises for a line that does not fit the counts of the header."""
        is_old, is_new = sign in (_SPACE, _MINUS), sign in (_SPACE, _PLUS)
        if not (is_old or is_new):
            raise self._reader.error("this is no line of a hunk, and the hunk above is not complete")
        if is_old > self._old or is_new > self._new:
            raise self._reader.error("the hunk has more lines here than its header says")
        if (is_old and self._old_ended) or (is_new and self._new_ended):
            raise self._reader.error("a line follows the one that ends without a line feed")
        self._old -= is_old
        self._new -= is_new
        self._added += sign == _PLUS
        self._deleted += sign == _MINUS

    def _read_blank(self) -> None:
        """Some editors and mail programs remove the space of an empty line of context."""
        self._count(_SPACE)
        self._flush()
        self._parts.append(b" ")
        self._reader.skip()
        self._last_sign = _SPACE

    def _read_mark(self) -> None:
        """ "\\ No newline at end of file", in any language. It concerns the line before."""
        if self._last_sign not in (_SPACE, _PLUS, _MINUS):
            raise self._reader.error("there is no line before this mark")
        self._flush()
        self._parts.append(NO_NEWLINE)
        self._reader.skip()
        self._kept = self._reader.at
        self._old_ended = self._old_ended or self._last_sign != _PLUS
        self._new_ended = self._new_ended or self._last_sign != _MINUS
        self._last_sign = _BACKSLASH

    def _read_end_mark(self) -> None:
        if self._reader.starts_with(b"\\ "):
            self._read_mark()

    def _check_end(self) -> None:
        """A line that would be one of a hunk must not be left out silently."""
        reader = self._reader
        if not reader.starts_with(b" ", b"+", b"-", b"\\ "):
            return
        if not (_SIGNATURE.match(reader.data, reader.at) or _begins_file(reader)):
            raise reader.error("the hunk above has more lines than its header says")

    def _flush(self) -> None:
        """Keep the lines up to here as they are."""
        if part := self._reader.data[self._kept : self._reader.at]:
            self._parts.append(part)
        self._kept = self._reader.at

    def _hunk(self, crlf: bool) -> Hunk:
        self._flush()
        body = b"".join(self._parts)
        if body and not body.endswith(b"\n"):
            body += b"\n"
        header = self._header
        return Hunk(
            old_start=header.old_start,
            old_count=header.old_count,
            new_start=header.new_start,
            new_count=header.new_count,
            added=self._added,
            deleted=self._deleted,
            body=body.replace(b"\r\n", b"\n") if crlf else body,
            section=header.section,
        )


def _begins_file(reader: PatchReader) -> bool:
    """A plain unified diff has no line before "--- name", "+++ name"."""
    return reader.starts_with(b"--- ") and reader.data.startswith(b"+++ ", reader.position_after_next())
