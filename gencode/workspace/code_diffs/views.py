"""The content of a diff as JSON: files, hunks, lines with numbers and anchors."""

from __future__ import annotations

from gencode.diffs import FileDiff, FileKind, Hunk, Line, LineKind, Side, Status, anchor_of, display_path
from gencode.diffs.stored_files import StoredFile
from gencode.http.base_models import ResponseModel

MAX_LINES = 5_000
"""Lines of a file that are given."""
MAX_TEXT = 2_000
"""Characters of a line that are given."""


class DiffLineView(ResponseModel):
    """old, new  its number in the old and the new file; null where it does not exist
    anchor    names the line so that it can be proven, such as "12#a3f1"; "-" before it: of the old file
    is_cut    the line is longer than 2,000 characters
    """

    kind: LineKind
    old: int | None
    new: int | None
    text: str
    anchor: str
    has_newline: bool
    is_cut: bool


class DiffHunkView(ResponseModel):
    """`section`: what Git writes after @@, often the line of the function."""

    header: str
    section: str
    lines: list[DiffLineView]


class DiffFileView(ResponseModel):
    """position       in the diff, from 0
    old_path, path  the former path, if it is another one; the present one, of a deleted file the last one
    kind            `binary` and `oversized` files have changed and were not compared by lines
    commit          of a patch that has several
    lines_left_out  lines that are not given, of more than 5,000; the patch has them
    """

    position: int
    path: str
    old_path: str | None
    status: Status
    kind: FileKind
    old_mode: str | None
    new_mode: str | None
    added: int
    deleted: int
    commit: str
    hunks: list[DiffHunkView]
    lines_left_out: int

    @classmethod
    def of(cls, position: int, stored: StoredFile) -> DiffFileView:
        file = stored.file
        hunks, left_out = _hunks(file)
        is_moved = file.old_path is not None and file.old_path != file.path
        return cls(
            position=position,
            path=display_path(file.path),
            old_path=display_path(file.old_path or "") if is_moved else None,
            status=file.status,
            kind=file.kind,
            old_mode=_octal(file.old_mode),
            new_mode=_octal(file.new_mode),
            added=file.added,
            deleted=file.deleted,
            commit=stored.commit,
            hunks=hunks,
            lines_left_out=left_out,
        )


class CodeDiffContent(ResponseModel):
    """A page of files. `next_cursor`: of the next page; null on the last."""

    files: list[DiffFileView]
    next_cursor: str | None


def _hunks(file: FileDiff) -> tuple[list[DiffHunkView], int]:
    """The hunks up to MAX_LINES, and how many lines are left out."""
    shown, left, left_out = [], MAX_LINES, 0
    for hunk in file.hunks:
        count = hunk.old_count + hunk.added
        if left <= 0:
            left_out += count
            continue
        lines = [_line(file, line) for _, line in zip(range(left), hunk.lines(), strict=False)]
        left -= count
        left_out += count - len(lines)
        shown.append(DiffHunkView(header=hunk.header, section=_section(hunk), lines=lines))
    return shown, left_out


def _line(file: FileDiff, line: Line) -> DiffLineView:
    side = Side.OLD if line.kind is LineKind.DELETED else Side.NEW
    text = line.text.decode("utf-8", "replace")
    return DiffLineView(
        kind=line.kind,
        old=line.old,
        new=line.new,
        text=text[:MAX_TEXT],
        anchor=str(anchor_of(file.path, side, line.number(side) or 0, line.text)),
        has_newline=line.has_newline,
        is_cut=len(text) > MAX_TEXT,
    )


def _section(hunk: Hunk) -> str:
    return hunk.section.decode("utf-8", "replace")[:MAX_TEXT]


def _octal(mode: int | None) -> str | None:
    return None if mode is None else f"{mode:06o}"
