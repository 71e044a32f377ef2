"""Anchors: how a model names a line so that code can prove which one it means.

A line is shown with its number and a hash: `12#a3f1` in the new file, `-12#9f8e` in the old one. A finding
repeats the anchor and quotes the line. `place` accepts it only if number, hash and quote agree.

The hash is of the line's text together with its path, side and number. A hash of the text alone would accept
"off by two" where the next `}` but one has the same text, and the same first line of another file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gencode.diffs.line_text import display_line
from gencode.diffs.paths import display_path, path_bytes
from gencode.diffs.values import FileDiff, LineKind, Side

_ANCHOR = re.compile(r"([-+]?) ?[Ll]?([0-9]{1,9}) ?# ?([0-9a-fA-F]{4})")
WINDOW = 20
"""Lines around the claimed one in which the true one is sought."""
_MIN_PART = 4
"""Characters of a quote that is a part of its line only."""
_ELLIPSES = ("...", "…")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A line of one side of a file. Its text form is "12#a3f1" or, of the old side, "-12#a3f1"."""

    side: Side
    line: int
    hash: str

    def __str__(self) -> str:
        return f"{'-' if self.side is Side.OLD else ''}{self.line}#{self.hash}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Where a model says that its finding is.

    path    as `display_path` has shown it
    anchor  the text that should be one of the anchors that it was shown
    quote   the text of the line, or a part of it; of several lines the first counts. A claim without one is
            placed on an empty line only
    """

    path: str
    anchor: str
    quote: str = ""


class Outcome(StrEnum):
    EXACT = "exact"
    MOVED = "moved"
    """The number was wrong; hash and quote fit one line nearby and no other."""
    UNANCHORED = "unanchored"
    """Shown without a line. `reason` says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """What became of a claim.

    line      the proven line; None if there is none
    in_diff   whether the diff adds, deletes or shows that line; None for a line outside of all hunks, on
              which Git hosts take no comment
    """

    outcome: Outcome
    side: Side = Side.NEW
    line: int | None = None
    in_diff: LineKind | None = None
    reason: str = ""


def line_hash(path: str, side: Side, line: int, text: bytes) -> str:
    """4 hexadecimal digits. `text`: the line's bytes without the line feed."""
    place = b"%b\0%b\0%d\0" % (path_bytes(path), side.encode(), line)
    return hashlib.sha256(place + text).hexdigest()[:4]


def anchor_of(path: str, side: Side, line: int, text: bytes) -> Anchor:
    return Anchor(side=side, line=line, hash=line_hash(path, side, line, text))


def parse_anchor(text: str) -> Anchor | None:
    """None for a text that is no anchor."""
    if not (found := _ANCHOR.fullmatch(text.strip())):
        return None
    side = Side.OLD if found[1] == "-" else Side.NEW
    return Anchor(side=side, line=int(found[2]), hash=found[3].lower())


def place(
    claim: Claim, file: FileDiff | None, lines: Mapping[Side, Mapping[int, bytes]], window: int = WINDOW
) -> Placement:
    """Verify a claim about `file`; None is a file that the diff does not have.

    lines  the text by line number of each side: `known_lines` of the blob, or of the hunks if there is only
           a patch
    """
    anchor = parse_anchor(claim.anchor)
    if file is None or display_path(file.path) != claim.path:
        return _unanchored("The file is not in this diff")
    if anchor is None:
        return _unanchored("It names no line")
    return _Verification(claim, anchor, file, lines.get(anchor.side, {})).placement(window)


def _unanchored(reason: str) -> Placement:
    return Placement(outcome=Outcome.UNANCHORED, reason=reason)


class _Verification:
    def __init__(self, claim: Claim, anchor: Anchor, file: FileDiff, lines: Mapping[int, bytes]) -> None:
        self._anchor = anchor
        self._file = file
        self._lines = lines
        self._quote = first_line(claim.quote)

    def placement(self, window: int) -> Placement:
        """A quote that contradicts the anchor makes both worthless."""
        line = self._anchor.line
        if self._has_hash(line):
            if not self._is_quoted(line):
                return _unanchored("The anchor and the quoted text are of different lines")
            return self._placed(Outcome.EXACT, line)
        near = range(line - window, line + window + 1) if self._quote else ()
        found = [n for n in near if self._has_hash(n) and self._is_quoted(n)]
        if len(found) != 1:
            return _unanchored(_WHY_NOT_MOVED[len(found) > 1])
        return self._placed(Outcome.MOVED, found[0])

    def _has_hash(self, line: int) -> bool:
        text = self._lines.get(line)
        return (
            text is not None
            and line_hash(self._file.path, self._anchor.side, line, text) == self._anchor.hash
        )

    def _is_quoted(self, line: int) -> bool:
        return is_quote_of(self._quote, self._lines[line])

    def _placed(self, outcome: Outcome, line: int) -> Placement:
        side = self._anchor.side
        return Placement(outcome=outcome, side=side, line=line, in_diff=kind_in_diff(self._file, side, line))


_WHY_NOT_MOVED = {
    False: "No line nearby has this hash and the quoted text",
    True: "Several lines nearby have this hash and the quoted text",
}


def first_line(quote: str) -> str:
    """The first line of a quote that has text, without the space around it."""
    return next((line.strip() for line in quote.split("\n") if line.strip()), "")


def is_quote_of(quote: str, text: bytes) -> bool:
    """Whether a quote is the line's text, or an unbroken part of it. The amount of space does not count."""
    shown = " ".join(display_line(text).split())
    wanted = " ".join(quote.split())
    if wanted == shown:
        return True
    for ellipsis in _ELLIPSES:
        wanted = wanted.removesuffix(ellipsis).rstrip()
    return len(wanted) >= _MIN_PART and wanted in shown


def kind_in_diff(file: FileDiff, side: Side, line: int) -> LineKind | None:
    """What the diff says about a line; None outside of its hunks."""
    for hunk in file.hunks:
        begin = hunk.first_line(side)
        count = hunk.old_count if side is Side.OLD else hunk.new_count
        if begin <= line < begin + count:
            return next((shown.kind for shown in hunk.lines() if shown.number(side) == line), None)
    return None
