"""Places what a model says: on a proven line of the diff, on its file without a line, or nowhere.

A claim with an anchor is verified by `gencode.diffs.place`. A number without a hash proves nothing; such a
claim is placed only if its quote is the whole text of one line, and of no other, of all that was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gencode.diffs import (
    Claim,
    FileDiff,
    Hunk,
    Line,
    LineKind,
    Outcome,
    Placement,
    Side,
    Suggestion,
    anchor_of,
    apply_suggestion,
    blob_lines,
    display_line,
    display_path,
    finding_identity,
    hunk_lines,
    parse_anchor,
    place,
)
from gencode.pipelines.code_review.answers import ClaimedEvidence, ClaimedFinding
from gencode.pipelines.code_review.findings import Category, Finding, LineReplacement, Severity
from gencode.pipelines.code_review.requirements import Evidence

MAX_RANGE = 200
"""Lines of a finding."""
MIN_UNIQUE_QUOTE = 8
"""Letters and digits of a quote that places a claim without an anchor."""
_NO_HASH = "It names no anchor, and the quoted text is not that of exactly one line"


@dataclass(frozen=True, kw_only=True)
class ReviewedFile:
    """A file of the diff. `blob`: the new version if it is known."""

    number: int
    file: FileDiff
    commit: str = ""
    blob: bytes | None = field(default=None, repr=False)

    @cached_property
    def path(self) -> str:
        return display_path(self.file.path)

    @cached_property
    def lines(self) -> Mapping[Side, Mapping[int, bytes]]:
        new = hunk_lines(self.file, Side.NEW) if self.blob is None else blob_lines(self.blob)
        return {Side.OLD: hunk_lines(self.file, Side.OLD), Side.NEW: new}

    @cached_property
    def shown(self) -> Sequence[Line]:
        """The lines of the hunks."""
        return [line for hunk in self.file.hunks for line in hunk.lines()]

    def hunk_of(self, side: Side, line: int) -> int | None:
        """The hunk that shows the line, or the nearest one."""
        distances = [_distance(hunk, side, line) for hunk in self.file.hunks]
        return distances.index(min(distances)) if distances else None

    def neighbourhood(self, side: Side, line: int) -> tuple[list[bytes], int]:
        """The unbroken run of known lines around a line, and the position of the line in it, from 1."""
        lines, first, last = self.lines[side], line, line
        while first - 1 in lines:
            first -= 1
        while last + 1 in lines:
            last += 1
        return [lines[number] for number in range(first, last + 1)], line - first + 1


def _distance(hunk: Hunk, side: Side, line: int) -> int:
    first = hunk.first_line(side)
    last = first + (hunk.old_count if side is Side.OLD else hunk.new_count) - 1
    return max(first - line, line - last, 0)


def place_claim(claim: ClaimedFinding, files: Sequence[ReviewedFile]) -> Finding | None:
    """`files`: those that the model was shown. None for a claim about another file, or one that fits several
    versions of a file equally well."""
    named = [file for file in files if file.path == _path(claim.path, files)]
    placements = [(file, _placement(claim, file, files)) for file in named]
    placed = [(file, placement) for file, placement in placements if placement.line is not None]
    if len(placed) == 1:
        return _anchored(claim, *placed[0])
    if not named or placed:
        return None
    return _unanchored(claim, *placements[-1])


def place_evidence(claim: ClaimedEvidence, files: Sequence[ReviewedFile]) -> Evidence | None:
    """None for a claim whose line is not proven."""
    as_finding = ClaimedFinding(
        path=claim.path,
        anchor=claim.anchor,
        quote=claim.quote,
        severity=Severity.INFO,
        category=Category.REQUIREMENT,
        title=claim.requirement,
    )
    placed = place_claim(as_finding, files)
    if placed is None or placed.line is None:
        return None
    return Evidence(
        requirement=claim.requirement,
        status=claim.status,
        path=placed.path,
        side=placed.side,
        line=placed.line,
        anchor=placed.anchor,
        quote=placed.quote,
        note=claim.note,
        file=placed.file,
        hunk=placed.hunk,
    )


def _path(path: str, files: Iterable[ReviewedFile]) -> str:
    """The path as it is shown, also for one with the prefix of a patch, or the note behind it."""
    shown = {file.path for file in files}
    variants = (
        path,
        path.strip(),
        path.strip().removeprefix("./"),
        path.strip()[2:],
        path.partition(" (")[0],
    )
    return next((variant for variant in variants if variant in shown), path)


def _placement(claim: ClaimedFinding, file: ReviewedFile, files: Sequence[ReviewedFile]) -> Placement:
    if parse_anchor(claim.anchor) is None:
        return _by_quote(claim, file, files)
    wanted = Claim(path=file.path, anchor=claim.anchor, quote=claim.quote)
    return place(wanted, file.file, file.lines)


def _by_quote(claim: ClaimedFinding, file: ReviewedFile, files: Sequence[ReviewedFile]) -> Placement:
    """The one line whose whole text is quoted: a line of another file with the same text makes it doubtful.
    An unchanged line is on both sides: the new one counts."""
    quote = _normal(claim.quote)
    if sum(map(str.isalnum, quote)) < MIN_UNIQUE_QUOTE:
        return Placement(outcome=Outcome.UNANCHORED, reason=_NO_HASH)
    found = [(one, line) for one in files for line in one.shown if _normal(display_line(line.text)) == quote]
    if len(found) != 1 or found[0][0] is not file:
        return Placement(outcome=Outcome.UNANCHORED, reason=_NO_HASH)
    line = found[0][1]
    side = Side.OLD if line.kind is LineKind.DELETED else Side.NEW
    return Placement(outcome=Outcome.MOVED, side=side, line=line.number(side), in_diff=line.kind)


def _normal(text: str) -> str:
    return " ".join(text.split())


def _anchored(claim: ClaimedFinding, file: ReviewedFile, placement: Placement) -> Finding:
    side, line = placement.side, placement.line or 0
    text = file.lines[side][line]
    end = _end(claim, file, side, line)
    around, at = file.neighbourhood(side, line)
    return Finding(
        identity=finding_identity(file.file.path, around, at, claim.category),
        path=file.path,
        side=side,
        line=line,
        end_line=end,
        anchor=str(anchor_of(file.file.path, side, line, text)),
        in_diff=placement.in_diff,
        quote=display_line(text),
        severity=claim.severity,
        category=claim.category,
        title=claim.title,
        body=claim.body,
        suggestion=_suggestion(claim, file, line, end) if side is Side.NEW else None,
        confidence=claim.confidence,
        commit=file.commit,
        file=file.number,
        hunk=file.hunk_of(side, line),
    )


def _end(claim: ClaimedFinding, file: ReviewedFile, side: Side, line: int) -> int:
    """The line of the end anchor if it is proven and behind the first; else the first."""
    if parse_anchor(claim.end_anchor) is None:
        return line
    known = file.lines[side]
    anchor = parse_anchor(claim.end_anchor)
    if anchor is None or anchor.side is not side or anchor.line not in known:
        return line
    proven = anchor_of(file.file.path, side, anchor.line, known[anchor.line]) == anchor
    unbroken = all(number in known for number in range(line, anchor.line + 1))
    return anchor.line if proven and unbroken and line <= anchor.line <= line + MAX_RANGE else line


def _suggestion(claim: ClaimedFinding, file: ReviewedFile, first: int, last: int) -> LineReplacement | None:
    """None for one that would not apply to the file, as far as it is known."""
    if claim.suggestion is None:
        return None
    around, at = file.neighbourhood(Side.NEW, first)
    data = b"".join(line + b"\n" for line in around)
    replaced = around[at - 1 : at + last - first]
    try:
        old = b"\n".join(replaced).decode()
    except UnicodeDecodeError:
        return None
    wanted = Suggestion(first=at, last=at + last - first, old=old, replacement=claim.suggestion)
    if not isinstance(apply_suggestion(data, wanted), bytes):
        return None
    return LineReplacement(first=first, last=last, old=old, replacement=claim.suggestion)


def _unanchored(claim: ClaimedFinding, file: ReviewedFile, placement: Placement) -> Finding:
    return Finding(
        identity=finding_identity(file.file.path, [b""], 1, f"{claim.category}: {claim.title}"),
        path=file.path,
        unanchored=placement.reason,
        severity=claim.severity,
        category=claim.category,
        title=claim.title,
        body=claim.body,
        confidence=claim.confidence,
        commit=file.commit,
        file=file.number,
    )
