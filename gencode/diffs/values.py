"""Diffs as values: what changed between two trees, whoever found it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

NO_NEWLINE = b"\\ No newline at end of file\n"


class Status(StrEnum):
    """What became of a file. A renamed or copied file may have changed as well, see its hunks and modes."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    MODE_CHANGED = "mode_changed"
    """Only the mode differs."""


class FileKind(StrEnum):
    TEXT = "text"
    BINARY = "binary"
    SYMLINK = "symlink"
    """Its content, one line, is the target."""
    SUBMODULE = "submodule"
    """Its content, one line, names the commit."""
    OVERSIZED = "oversized"
    """Longer than the limit of the caller: it has changed, and was not compared by lines."""


_KIND_OF_FORMAT = {0o160000: FileKind.SUBMODULE, 0o120000: FileKind.SYMLINK}


def kind_of_mode(mode: int | None) -> FileKind:
    """The kind that a mode of Git tells; TEXT for a regular file, whatever it contains."""
    return _KIND_OF_FORMAT.get((mode or 0) & 0o170000, FileKind.TEXT)


class Side(StrEnum):
    OLD = "old"
    NEW = "new"


class LineKind(StrEnum):
    CONTEXT = "context"
    DELETED = "deleted"
    ADDED = "added"


_KINDS = {ord(" "): LineKind.CONTEXT, ord("-"): LineKind.DELETED, ord("+"): LineKind.ADDED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of a hunk.

    old, new      its number in the old and the new file, from 1; None where the line does not exist
    text          without the line feed; a carriage return belongs to it
    has_newline   False for the last line of a file that does not end with a line feed
    """

    kind: LineKind
    old: int | None
    new: int | None
    text: bytes
    has_newline: bool = True

    def number(self, side: Side) -> int | None:
        return self.old if side is Side.OLD else self.new


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """A changed part of a file.

    old_start, new_start   the first line, from 1; with a count of 0 the line before, as in Git
    body                   the lines as a patch writes them, with " ", "-" or "+" before each: one bytes
                           object takes a tenth of the memory of its lines
    section                what Git writes after @@, often the line of the function; not compared
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    added: int
    deleted: int
    body: bytes
    section: bytes = field(default=b"", compare=False)

    def first_line(self, side: Side) -> int:
        """The first line of the hunk, or the line before which a hunk without lines on this side stands."""
        if side is Side.OLD:
            return self.old_start + (self.old_count == 0)
        return self.new_start + (self.new_count == 0)

    def lines(self) -> Iterator[Line]:
        old, new = self.first_line(Side.OLD), self.first_line(Side.NEW)
        for sign, text, has_newline in body_lines(self.body):
            kind = _KINDS[sign]
            in_old, in_new = kind is not LineKind.ADDED, kind is not LineKind.DELETED
            yield Line(
                kind=kind,
                old=old if in_old else None,
                new=new if in_new else None,
                text=text,
                has_newline=has_newline,
            )
            old, new = old + in_old, new + in_new

    @property
    def header(self) -> str:
        """Without the section: "@@ -1,2 +1,3 @@"."""
        old, new = _range(self.old_start, self.old_count), _range(self.new_start, self.new_count)
        return f"@@ -{old} +{new} @@"


def body_lines(body: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """The sign, the text and whether a line feed follows, of each line in the body of a hunk."""
    at = 0
    while at < len(body):
        end = body.index(b"\n", at)
        sign, text = body[at], body[at + 1 : end]
        at = end + 1
        has_newline = not body.startswith(NO_NEWLINE, at)
        if not has_newline:
            at += len(NO_NEWLINE)
        yield sign, text, has_newline


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDiff:
    """One changed file.

    old_path, new_path   None where the file does not exist. Text with the bytes that are not UTF-8 as
                         surrogates (see `paths`): never a file name to open
    old_mode, new_mode   as in Git, e.g. 0o100644; None where unknown or where the file does not exist
    old_id, new_id       blob ids in hexadecimal; a patch may shorten them, "" where it names none
    """

    old_path: str | None
    new_path: str | None
    status: Status
    kind: FileKind = FileKind.TEXT
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str = ""
    new_id: str = ""
    hunks: tuple[Hunk, ...] = ()

    @property
    def path(self) -> str:
        """The present path, for a deleted file its last one."""
        return self.new_path if self.new_path is not None else self.old_path or ""

    @property
    def mode_changed(self) -> bool:
        return None not in (self.old_mode, self.new_mode) and self.old_mode != self.new_mode

    @property
    def added(self) -> int:
        """Lines."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def deleted(self) -> int:
        """Lines."""
        return sum(hunk.deleted for hunk in self.hunks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """Numbers of files and lines."""

    files: int
    added: int
    deleted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Diff:
    """The changed files. Those made from trees are sorted by path, those of a patch are in its order."""

    files: tuple[FileDiff, ...]

    @property
    def stats(self) -> Stats:
        added = sum(file.added for file in self.files)
        return Stats(files=len(self.files), added=added, deleted=sum(file.deleted for file in self.files))


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchCommit:
    """The changes of one commit in a patch. `id`, `subject` and `author` are "" where the patch has none."""

    id: str = ""
    subject: str = ""
    author: str = ""
    diff: Diff


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """The commits of an uploaded patch, in its order. A patch without commits has one without id."""

    commits: tuple[PatchCommit, ...]
