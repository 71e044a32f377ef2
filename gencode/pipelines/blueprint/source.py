"""What a task works on, stored as one checkpoint: later changes of the rows do not matter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from gencode.blueprints import Blueprint

PART = 24_000
"""Characters of the requirements that one call sees."""
MAX_CHARACTERS = 400_000
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=#)|\n|(?<=[.!?。！？；;])")


class Base(BaseModel):
    """The draft that is changed, as it was read. `version`: of its row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int
    name: str
    spec: Blueprint


class Source(BaseModel):
    """parts  the requirements, in pieces of at most PART characters
    base   None for a new blueprint
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    parts: list[str]
    base: Base | None = None

    @property
    def blueprint(self) -> Blueprint:
        """What the task begins with."""
        return self.base.spec if self.base else Blueprint()


def parts_of(text: str) -> list[str]:
    """Cut between paragraphs, lines or sentences where possible."""
    return list(_pieces(text.strip()))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PART:
        places = [found.end() for found in _BREAK.finditer(text, start + PART // 2, start + PART)]
        cut = places[-1] if places else start + PART
        yield text[start:cut]
        start = cut
    yield text[start:]
