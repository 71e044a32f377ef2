"""Scripted reviewers: each claims a line of a diff in its own way, and knows which line it means."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gencode.diffs import (
    Claim,
    Diff,
    FileDiff,
    LineKind,
    Placement,
    Side,
    anchor_of,
    blob_lines,
    display_line,
    display_path,
    place,
)

SIGNS = {Side.NEW: "", Side.OLD: "-"}
Contents = Mapping[Side, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """A changed file with its old and new content."""

    file: FileDiff
    lines: Mapping[Side, Mapping[int, bytes]]
    shown: tuple[tuple[Side, int], ...] = field(default=())
    """The lines that a model is shown."""

    @classmethod
    def of(cls, file: FileDiff, old: bytes, new: bytes) -> Reviewed:
        lines = {Side.OLD: blob_lines(old), Side.NEW: blob_lines(new)}
        shown = []
        for line in (line for hunk in file.hunks for line in hunk.lines()):
            side = Side.OLD if line.kind is LineKind.DELETED else Side.NEW
            shown.append((side, line.number(side) or 0))
        return cls(file=file, lines=lines, shown=tuple(shown))

    def hash(self, side: Side, line: int) -> str:
        return anchor_of(self.file.path, side, line, self.lines[side][line]).hash

    def quote(self, side: Side, line: int) -> str:
        return display_line(self.lines[side][line])

    def claim(self, side: Side, line: int, hash_: str, quote: str) -> Claim:
        return Claim(path=display_path(self.file.path), anchor=f"{SIGNS[side]}{line}#{hash_}", quote=quote)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A claim, the file to which it is brought, and the line that is meant; None where it may be placed
    nowhere."""

    claim: Claim
    file: FileDiff
    lines: Mapping[Side, Mapping[int, bytes]]
    meant: tuple[Side, int] | None

    def placement(self) -> Placement:
        return place(self.claim, self.file, self.lines)


Reviewer = Callable[[Reviewed, Side, int, list[Reviewed], random.Random], Answer | None]
"""None if there is no such mistake to make about that line."""


def _answer(
    reviewed: Reviewed, side: Side, line: int, hash_: str, quote: str, meant: tuple[Side, int] | None
) -> Answer:
    claim = reviewed.claim(side, line, hash_, quote)
    return Answer(claim=claim, file=reviewed.file, lines=reviewed.lines, meant=meant)


def right(r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random) -> Answer:
    return _answer(r, side, line, r.hash(side, line), r.quote(side, line), (side, line))


def right_without_quote(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer:
    return _answer(r, side, line, r.hash(side, line), "", (side, line))


def number_off(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    """The number is off by 1 to 3; hash and quote are right."""
    wrong = line + rng.choice((-3, -2, -1, 1, 2, 3))
    return _answer(r, side, wrong, r.hash(side, line), r.quote(side, line), (side, line))


def number_off_without_quote(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    wrong = line + rng.choice((-3, -2, -1, 1, 2, 3))
    return _answer(r, side, wrong, r.hash(side, line), "", (side, line))


def anchor_of_neighbour(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    """The whole anchor of a line 1 to 3 away; the quote is right. Lines with the same text are left out: then
    the claim is a right one of the other line."""
    wrong = line + rng.choice((-3, -2, -1, 1, 2, 3))
    if wrong not in r.lines[side] or _similar(r.quote(side, line), r.quote(side, wrong)):
        return None
    return _answer(r, side, wrong, r.hash(side, wrong), r.quote(side, line), (side, line))


def _similar(quote: str, text: str) -> bool:
    """Space does not count, and a part of a line is a quote of it."""
    wanted = " ".join(quote.split())
    return not wanted or wanted in " ".join(text.split())


def duplicate_line(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    """The number of another line with the same text."""
    text = r.lines[side][line]
    same = [n for n in range(line - 40, line + 41) if n != line and r.lines[side].get(n) == text]
    if not same:
        return None
    return _answer(r, side, rng.choice(same), r.hash(side, line), r.quote(side, line), (side, line))


def wrong_file(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    """The anchor of one file under the name of another."""
    others = [other for other in files if other.file.path != r.file.path]
    if not others:
        return None
    other = rng.choice(others)
    return _answer(other, side, line, r.hash(side, line), r.quote(side, line), None)


def wrong_side(r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random) -> Answer:
    """A deleted line as one of the new file, or the reverse."""
    other = Side.NEW if side is Side.OLD else Side.OLD
    return _answer(r, other, line, r.hash(side, line), r.quote(side, line), None)


def context_line(
    r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random
) -> Answer | None:
    """A line beside the change. It is placed, and known to be one of context."""
    shown = [line for hunk in r.file.hunks for line in hunk.lines() if line.kind is LineKind.CONTEXT]
    if not shown:
        return None
    number = rng.choice(shown).new or 0
    return _answer(
        r, Side.NEW, number, r.hash(Side.NEW, number), r.quote(Side.NEW, number), (Side.NEW, number)
    )


def invented_hash(r: Reviewed, side: Side, line: int, files: list[Reviewed], rng: random.Random) -> Answer:
    """The number and the quote of a line with any hash: nothing proves that it is meant."""
    return _answer(r, side, line, f"{rng.randrange(2**16):04x}", r.quote(side, line), None)


REVIEWERS: Mapping[str, Reviewer] = {
    "right": right,
    "right, without a quote": right_without_quote,
    "number off by 1 to 3": number_off,
    "number off, without a quote": number_off_without_quote,
    "anchor of a neighbour": anchor_of_neighbour,
    "number of a duplicate line": duplicate_line,
    "wrong file": wrong_file,
    "wrong side": wrong_side,
    "context line": context_line,
    "invented hash": invented_hash,
}


def reviewed_files(diff: Diff, contents: Callable[[FileDiff], tuple[bytes, bytes]]) -> list[Reviewed]:
    return [Reviewed.of(file, *contents(file)) for file in diff.files if file.hunks]
