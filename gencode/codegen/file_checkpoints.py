"""The answers of model calls for a task's files, and the checkpoints that store them.

A call whose answer is stored is never made again. Checkpoint names count answers from 1:

    piece:N:PATH          the Nth answer for a file
    outline:1:PATH        the division of a file that is longer than an answer may be
    partPART:N:PATH       the Nth answer for one part of such a file
    repairROUND:N:PATH    the Nth answer for a file that validation found faults in
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gencode.llm.port import Usage

PIECE = "piece"
PART = "part"
REPAIR = "repair"
OUTLINE = "outline"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class Piece(_Frozen):
    """One answer for a file.

    follows  how many characters of the earlier pieces, joined, precede this one
    whole    the model ended the answer by itself: the file is complete
    joined   not an answer: the complete text of the file, joined from parts or copied from a cache hit
    """

    text: str
    follows: int = 0
    whole: bool
    usage: Usage = Usage()
    joined: bool = False


class Outline(_Frozen):
    """What each part of a large file contains. Without parts the file is written in one go after all."""

    parts: tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...] = ()
    usage: Usage = Usage()


Checkpoints = Mapping[str, str]
"""Every checkpoint of a task: JSON by name, in the order in which they were first stored."""
Pieces = Mapping[str, tuple[Piece, ...]]
"""The pieces of each file by path, in the order in which they were answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WritingJob:
    """What to write for one task, and what earlier runs of the task have stored.

    parts        by number, from 1: answers for the parts of large files
    repairs      by round, from 1: answers for files that validation found faults in
    outlines     by path
    retries      by the code of a failure, how often the task was retried after it: each retry grants new
                 attempts
    best_effort  deliver files in which faults remain
    """

    prompt: str
    pieces: Pieces = field(default_factory=dict)
    outlines: Mapping[str, Outline] = field(default_factory=dict)
    parts: Mapping[int, Pieces] = field(default_factory=dict)
    repairs: Mapping[int, Pieces] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    best_effort: bool = False

    @property
    def usages(self) -> list[Usage]:
        """The token usage of each stored answer."""
        written = [self.pieces, *self.parts.values(), *self.repairs.values()]
        calls = [piece.usage for files in written for pieces in files.values() for piece in pieces]
        return calls + [outline.usage for outline in self.outlines.values()]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredText:
    """A text, and the checkpoint whose piece has exactly this text."""

    checkpoint: str
    text: str


def stored_text(kind: str, path: str, pieces: Sequence[Piece]) -> StoredText | None:
    """The text of a file that is complete after one piece; None for other files."""
    if len(pieces) != 1 or not pieces[0].whole:
        return None
    return StoredText(checkpoint=piece_name(kind, 1, path), text=pieces[0].text)


def piece_name(kind: str, number: int, path: str) -> str:
    """The checkpoint name of the `number`th answer, from 1."""
    return f"{kind}:{number}:{path}"


def read_pieces(checkpoints: Checkpoints, kind: str = PIECE) -> Pieces:
    """The answers that are stored as `KIND:N:PATH`, by path."""
    found: dict[str, tuple[Piece, ...]] = {}
    for name, content in checkpoints.items():
        if name.startswith(f"{kind}:"):
            path = path_of(name)
            found[path] = (*found.get(path, ()), Piece.model_validate_json(content))
    return found


def read_parts(checkpoints: Checkpoints) -> Mapping[int, Pieces]:
    """The stored answers for parts, by number from 1."""
    return _numbered(checkpoints, PART)


def read_repairs(checkpoints: Checkpoints) -> Mapping[int, Pieces]:
    """The stored answers of repairs, by round from 1."""
    return _numbered(checkpoints, REPAIR)


def read_outlines(checkpoints: Checkpoints) -> Mapping[str, Outline]:
    """The stored outlines, by path."""
    return {
        path_of(name): Outline.model_validate_json(content)
        for name, content in checkpoints.items()
        if name.startswith(f"{OUTLINE}:")
    }


def path_of(name: str) -> str:
    """The path in a checkpoint name of the form KIND:N:PATH."""
    return name.split(":", 2)[2]


def _numbered(checkpoints: Checkpoints, kind: str) -> Mapping[int, Pieces]:
    kinds = {name.partition(":")[0] for name in checkpoints if name.startswith(kind)}
    numbers = sorted(int(found.removeprefix(kind)) for found in kinds)
    return {number: read_pieces(checkpoints, f"{kind}{number}") for number in numbers}
