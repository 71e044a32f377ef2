"""The sections of a Markdown text."""

from __future__ import annotations

import re

from gencode.documents.document import Section

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
MAX_TITLE = 200


def one_section(text: str) -> tuple[Section, ...]:
    return (Section(start=0, end=len(text)),)


def markdown_sections(text: str) -> tuple[Section, ...]:
    """One for each heading (`# Title`) outside of code fences, and one for what stands before the first."""
    starts = [(0, 0, "")]
    offset, fence = 0, ""
    for line in text.split("\n"):
        fence = _fence_after(line, fence)
        if not fence and (found := _HEADING.match(line)):
            starts.append((offset, len(found[1]), _title(line[found.end() :])))
        offset += len(line) + 1
    ends = [start for start, _, _ in starts[1:]] + [len(text)]
    return tuple(
        Section(start=start, end=end, level=level, title=title)
        for (start, level, title), end in zip(starts, ends, strict=True)
        if start < end
    )


def _title(rest: str) -> str:
    """Without the number signs that may close a heading."""
    words = rest.rstrip()
    unclosed = words.rstrip("#")
    return (unclosed.rstrip() if not unclosed or unclosed[-1].isspace() else words)[:MAX_TITLE]


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line; "" if none is."""
    found = _FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    closes = found[1].startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence
