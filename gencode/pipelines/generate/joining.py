"""Joining the pieces of a file that the token limit cut."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.pipelines.generate.artifacts import Piece
from gencode.pipelines.generate.parsing import unfence

LONGEST_OVERLAP = 8000
"""Characters; models that repeat do so from a few lines back, not from further."""


def raw(pieces: Sequence[Piece]) -> str:
    """What the model has said so far, as one answer: the prefix for its next piece."""
    text = ""
    for piece in pieces:
        text += piece.text if piece.native or not text else _after_overlap(text, unfence(piece.text))
    return text


def file_text(pieces: Sequence[Piece]) -> str:
    """The file that the pieces make: joined, without a fence around the whole."""
    return unfence(raw(pieces))


def _after_overlap(before: str, piece: str) -> str:
    """The piece without the lines it repeats. The overlap ends where `before` ends and begins at a line's
    start in it; one that is a lone short line is taken for code that repeats, not for an echo."""
    for size in range(min(len(before), len(piece), LONGEST_OVERLAP), 0, -1):
        if before.endswith(piece[:size]) and _starts_line(before, size) and _is_echo(piece[:size]):
            return piece[size:]
    return piece


def _starts_line(text: str, size: int) -> bool:
    return len(text) == size or text[-size - 1] == "\n"


def _is_echo(overlap: str) -> bool:
    return len(overlap.strip()) >= 8
