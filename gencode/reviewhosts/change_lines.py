"""The lines of a change's diff, as its host shows it: only they take comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gencode.diffs import (
    DiffError,
    FileDiff,
    Hunk,
    PatchLimits,
    Side,
    Status,
    display_line,
    display_path,
    parse_patch,
)
from gencode.reviewhosts.port import Place

DIFF_LIMITS = PatchLimits(max_bytes=20 * 2**20, max_files=5000, max_hunks=50_000, max_lines=500_000)
_HEAD = b"--- a/file\n+++ b/file\n"
_Line = tuple[Place, str]


class ChangeLines:
    """`files`: see ReviewHost.diff. Takes time for a long diff: create it in a thread."""

    def __init__(self, files: Sequence[FileDiff], wanted: frozenset[str]) -> None:
        """`wanted`: paths for people; lines of other files are not kept."""
        self._lines: Mapping[tuple[str, Side, int], _Line] = {
            (path, place.side, place.line): (place, text)
            for file in files
            if (path := display_path(file.path)) in wanted
            for place, text in _lines_of(file)
        }

    def place(self, path: str, side: Side, number: int, text: str) -> Place | None:
        """The line of this number, if its text is this one (see `display_line`)."""
        place, found = self._lines.get((path, side, number), (None, ""))
        return place if found == text else None


def _lines_of(file: FileDiff) -> Iterator[_Line]:
    new, old = file.new_path or file.old_path or "", file.old_path or file.new_path or ""
    for hunk in file.hunks:
        for line in hunk.lines():
            text = display_line(line.text)
            for side, at, other in ((Side.NEW, line.new, line.old), (Side.OLD, line.old, line.new)):
                if at is not None:
                    yield Place(path=new, old_path=old, side=side, line=at, other=other), text


def file_of(old_path: str | None, new_path: str | None, hunks: object) -> FileDiff:
    """A file of a host's answer. `hunks`: the text from the first "@@" on, or anything else if the host does
    not tell it."""
    found = _hunks(hunks) if isinstance(hunks, str) else ()
    return FileDiff(old_path=old_path, new_path=new_path, status=Status.MODIFIED, hunks=found)


def _hunks(text: str) -> tuple[Hunk, ...]:
    """() for a text that is none."""
    data = text.encode("utf-8", "surrogatepass")
    if not data.startswith(b"@@"):
        return ()
    try:
        files = files_of(_HEAD + data + (b"" if data.endswith(b"\n") else b"\n"))
    except DiffError:
        return ()
    return files[0].hunks if len(files) == 1 else ()


def files_of(patch: bytes) -> Sequence[FileDiff]:
    """Raises DiffError."""
    return [file for commit in parse_patch(patch, DIFF_LIMITS).commits for file in commit.diff.files]
