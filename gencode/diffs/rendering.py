"""Shows hunks to a model, each line with its anchor.

@@ -10,2 +10,2 @@ def f():
10#a3f1 |    x = 1
-11#9f8e|-   return x
11#c3d4 |+   return x + 1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gencode.diffs.anchors import anchor_of
from gencode.diffs.line_text import display_line
from gencode.diffs.paths import display_path
from gencode.diffs.values import FileDiff, Hunk, Line, LineKind, Side, Status

MAX_LINE = 500
"""Characters of a line that are shown."""
_MAX_SECTION = 120
MAX_HEAD = 200
"""Characters of the first line of a hunk, at most."""
_MAX_ANCHOR = 20
"""Characters of an anchor, the sign and the line feed, at most."""
_NO_NEWLINE = "\\ No newline at end of file"
_SIGNS = {LineKind.CONTEXT: " ", LineKind.DELETED: "-", LineKind.ADDED: "+"}


def render_hunk(
    file: FileDiff,
    hunk: Hunk,
    before: Iterable[tuple[int, bytes]] = (),
    after: Iterable[tuple[int, bytes]] = (),
) -> str:
    """The hunk with an anchor before each line, ended by a line feed.

    before, after   further lines of the new file around the hunk, by number
    """
    section = display_line(hunk.section)[:_MAX_SECTION]
    head = f"{hunk.header} {section}".rstrip()
    shown = [
        *(_context(file, *line) for line in before),
        *_lines(file, hunk.lines()),
        *(_context(file, *line) for line in after),
    ]
    return "\n".join([head, *shown, ""])


def render_file_head(file: FileDiff) -> str:
    """The name and what became of the file, ended by a line feed: "src/b.py (renamed from src/a.py)"."""
    notes = [file.status.value.replace("_", " ")]
    if file.status in (Status.RENAMED, Status.COPIED):
        notes = [f"{file.status.value} from {display_path(file.old_path or '')}"]
    if file.mode_changed:
        notes.append(f"mode {file.old_mode:o} is now {file.new_mode:o}")
    return f"{display_path(file.path)} ({', '.join(notes)})\n"


def _lines(file: FileDiff, lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        side = Side.OLD if line.kind is LineKind.DELETED else Side.NEW
        yield _line(file, side, line.number(side) or 0, line.text, _SIGNS[line.kind])
        if not line.has_newline:
            yield _NO_NEWLINE


def rendered_size(line: Line) -> int:
    """The most characters that a line of a hunk is rendered in."""
    shown = min(len(display_line(line.text)), MAX_LINE + 1)
    return shown + _MAX_ANCHOR + (0 if line.has_newline else len(_NO_NEWLINE) + 1)


def _context(file: FileDiff, number: int, text: bytes) -> str:
    return _line(file, Side.NEW, number, text, " ")


def _line(file: FileDiff, side: Side, number: int, text: bytes, sign: str) -> str:
    shown = display_line(text)
    if len(shown) > MAX_LINE:
        shown = f"{shown[:MAX_LINE]}…"
    return f"{anchor_of(file.path, side, number, text)!s:<9}|{sign}{shown}"
