"""Reads a patch line by line. A line ends with a line feed and with nothing else: form feeds, carriage
returns, U+0085 and U+2028 belong to the code."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from gencode.diffs.errors import DiffTooLarge, PatchError
from gencode.domain.phrase import Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchLimits:
    """The largest patch that is read; DiffTooLarge names the limit. In the worst case a patch takes about
    200 bytes of memory per hunk or file, and twice its length.

    max_lines  of all hunks, as their headers count them
    max_path   bytes of one path
    """

    max_bytes: int = 10 * 2**20
    max_commits: int = 10_000
    max_files: int = 10_000
    max_hunks: int = 100_000
    max_lines: int = 1_000_000
    max_path: int = 4096


class PatchReader:
    """The lines of a patch, from the first. `at` is the position of the next line."""

    def __init__(self, data: bytes, limits: PatchLimits) -> None:
        if len(data) > limits.max_bytes:
            raise DiffTooLarge(
                Phrase(
                    "The patch has {data} bytes; at most {max_bytes} are read",
                    data=len(data),
                    max_bytes=limits.max_bytes,
                )
            )
        self.data = _as_utf8(data)
        self.limits = limits
        self.at = 0
        self._commits = self._files = self._hunks = self._lines = 0

    @property
    def is_at_end(self) -> bool:
        return self.at >= len(self.data)

    def starts_with(self, *beginnings: bytes) -> bool:
        """Whether the next line does."""
        return self.data.startswith(beginnings, self.at)

    def peek(self) -> bytes:
        """The next line without its end, of a patch with CRLF also without the carriage return."""
        return self.data[self.at : self._line_end(self.at)].removesuffix(b"\r")

    def next(self) -> bytes:
        line = self.peek()
        self.skip()
        return line

    def skip(self) -> None:
        self.at = self._line_end(self.at) + 1

    def skip_to(self, beginning: re.Pattern[bytes]) -> bool:
        """Go to the first line, from the next one on, that begins so. False, and to the end, if none does."""
        found = beginning.search(self.data, self.at)
        self.at = found.start() if found else len(self.data)
        return found is not None

    def position_after_next(self) -> int:
        """Of the line after the next."""
        return self._line_end(self.at) + 1

    def has_carriage_return(self) -> bool:
        """Whether the next line ends with CRLF."""
        return self.data.endswith(b"\r", self.at, self._line_end(self.at))

    def count_commit(self) -> None:
        self._commits += 1
        if self._commits > self.limits.max_commits:
            raise DiffTooLarge(
                Phrase("The patch has more than {max_commits} commits", max_commits=self.limits.max_commits)
            )

    def count_file(self) -> None:
        self._files += 1
        if self._files > self.limits.max_files:
            raise DiffTooLarge(
                Phrase("The patch changes more than {max_files} files", max_files=self.limits.max_files)
            )

    def count_hunk(self, lines: int) -> None:
        self._hunks += 1
        self._lines += lines
        if self._lines > self.limits.max_lines:
            raise DiffTooLarge(
                Phrase(
                    "The patch has more than {max_lines} lines of changes and context",
                    max_lines=self.limits.max_lines,
                )
            )
        if self._hunks > self.limits.max_hunks:
            raise DiffTooLarge(
                Phrase("The patch has more than {max_hunks} hunks", max_hunks=self.limits.max_hunks)
            )

    def error(self, reason: str, at: int | None = None) -> PatchError:
        """`at`: where the faulty line begins, by default the next line. Counting lines is left to here."""
        at = min(self.at if at is None else at, len(self.data))
        return PatchError(
            Phrase("Line {count} of the patch: {reason}", count=self.data.count(10, 0, at) + 1, reason=reason)
        )

    def _line_end(self, at: int) -> int:
        end = self.data.find(b"\n", at)
        return len(self.data) if end < 0 else end


def _as_utf8(data: bytes) -> bytes:
    """PowerShell's `git diff > file` writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode("utf-8")
        except UnicodeError:
            raise PatchError("The patch begins as UTF-16, and is not: upload what git has written") from None
    return data.removeprefix(codecs.BOM_UTF8)
