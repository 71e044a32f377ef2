"""What an analysis works on, stored as one checkpoint: later changes of the rows do not matter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.documents.document import Section
from gencode.workspace.requirement_documents.requirement import Requirement

PART = 6000
"""Characters of a part of the document, which one model call is about: what it answers must fit, too."""
SMALLEST = 400
"""A part of fewer characters is not halved."""
MAX_PARTS = 400
_PARAGRAPH = re.compile(r"\n[ \t]*\n|\n(?=[-*+#|]|\d+[.)、])")
_SENTENCE = re.compile(r"(?<=[.!?。！？；;])\s*")


class Part(BaseModel):
    """A slice of the document. `name`: unique among the parts: "3", or "3.2" for the second half of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    section: str
    start: int
    end: int

    @property
    def number(self) -> int:
        return int(self.name.partition(".")[0])


class Source(BaseModel):
    """sections      headings with the place where each begins
    previous      requirements whose ids are kept; `next_number` of a new one
    instructions  of a prompt template, for the model
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    document_name: str
    language: str
    text: str
    sections: list[tuple[int, str, int | None]]
    parts: list[Part]
    previous: list[Requirement]
    next_number: int
    instructions: str = ""

    def section_at(self, offset: int) -> tuple[str, int | None]:
        """Title and page."""
        at = bisect_right(self.sections, offset, key=lambda section: section[0])
        return self.sections[at - 1][1:] if at else ("", None)


def sections_of(stored: Sequence[dict[str, Any]]) -> list[Section]:
    """The sections that a document's row has."""
    return [Section(**section) for section in stored]


def parts_of(text: str, sections: Sequence[Section]) -> list[Part]:
    """The document in parts of at most PART characters, or larger ones if it would have more than MAX_PARTS.
    Short sections that follow each other are one part, named by the first."""
    most = max(PART, -(-2 * len(text) // MAX_PARTS))
    spans: list[tuple[int, int, str]] = []
    for section in sections or [Section(start=0, end=len(text))]:
        for start, end in _pieces(text, section.start, section.end, most):
            if spans and end - spans[-1][0] <= most and spans[-1][1] == start:
                spans[-1] = (spans[-1][0], end, spans[-1][2] or section.title)
            else:
                spans.append((start, end, section.title))
    return [
        Part(name=str(number), section=title, start=start, end=end)
        for number, (start, end, title) in enumerate(spans, 1)
    ]


def halves(text: str, part: Part) -> list[Part]:
    """The part in two, cut between paragraphs or sentences; empty if it is too small."""
    length = part.end - part.start
    if length < 2 * SMALLEST:
        return []
    cut = _cut(text, part.start + SMALLEST, part.start + length // 2, part.end - SMALLEST)
    return [
        part.model_copy(update={"name": f"{part.name}.1", "end": cut}),
        part.model_copy(update={"name": f"{part.name}.2", "start": cut}),
    ]


def _pieces(text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    while end - start > most:
        cut = _cut(text, start + most // 4, start + most, start + most)
        yield start, cut
        start = cut
    if end > start:
        yield start, end


def _cut(text: str, low: int, wanted: int, high: int) -> int:
    """A place between `low` and `high`: the last end of a paragraph before `wanted`, else of a sentence, else
    `wanted`."""
    for pattern in (_PARAGRAPH, _SENTENCE):
        places = [found.end() for found in pattern.finditer(text, low, min(wanted, high))]
        if places := [place for place in places if low <= place <= high]:
            return places[-1]
    return wanted
