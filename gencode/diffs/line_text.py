"""The text of lines: for people and models, and by number."""

from __future__ import annotations

from gencode.diffs.text_diff import split_lines
from gencode.diffs.values import FileDiff, Side


def display_line(text: bytes) -> str:
    """The text of a line in one printable line: UTF-8, else GB 18030, else with replacement characters. A
    carriage return at its end is left out; control characters but the tab and line separators are escaped."""
    shown = _decoded(text.removesuffix(b"\r"))
    return shown if shown.isprintable() else "".join(map(_displayed, shown))


def _decoded(text: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return text.decode(encoding)
        except UnicodeDecodeError:
            continue
    return text.decode("utf-8", "replace")


def _displayed(character: str) -> str:
    if character.isprintable() or character in "\t\u3000\xa0":
        return character
    return character.encode("unicode_escape").decode()


def blob_lines(data: bytes) -> dict[int, bytes]:
    """The text of each line of a file, without the line feed, by its number from 1."""
    return {n: line.removesuffix(b"\n") for n, line in enumerate(split_lines(data), 1)}


def hunk_lines(file: FileDiff, side: Side) -> dict[int, bytes]:
    """The lines of one side that the hunks show, for a patch whose files are not at hand."""
    shown = (line for hunk in file.hunks for line in hunk.lines())
    return {number: line.text for line in shown if (number := line.number(side)) is not None}
