"""Hunks that need not be paid for twice: what an earlier review of the same owner has said about the same
hunk, with the same instructions and the same model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from gencode.diffs import (
    Coverage,
    Diff,
    ExclusionRules,
    FileDiff,
    Hunk,
    Side,
    anchor_of,
    display_line,
    path_bytes,
)
from gencode.domain.errors import StoreError
from gencode.pipelines.code_review.artifacts import Collected, PlacedBundle, ReviewInput
from gencode.pipelines.code_review.findings import Finding, LineReplacement, Record
from gencode.pipelines.code_review.placing import ReviewedFile
from gencode.pipelines.code_review.prompts import VERSION
from gencode.pipelines.code_review.requirements import Evidence
from gencode.pipelines.code_review.review_plan import LedgerLine
from gencode.workspace.reviews.store import ReviewStore

log = structlog.get_logger(__name__)

REVIEWED_BEFORE = "reviewed_before"
"""The reason in the ledger of a hunk whose findings are those of an earlier review."""
HunkPlace = tuple[int, int]
"""The positions of a file and of its hunk in the diff."""


class _HunkFindings(Record):
    """first  the first line of the hunk on each side, when it was reviewed"""

    first: Mapping[Side, int]
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownHunks:
    """findings, evidence  of all hunks that were reviewed before, which `places` names"""

    places: frozenset[HunkPlace]
    findings: Sequence[Finding]
    evidence: Sequence[Evidence] | None


class ReviewedHunks:
    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    async def find(self, collected: Collected) -> KnownHunks:
        """Of the hunks that the plan does not exclude."""
        given, diff = collected.given, collected.diff.diff
        keys = {place: hunk_key(given, diff, place) for place in _reviewable(collected.plan.ledger)}
        stored = await self._store.reviewed_hunks(given.run.principal, list(dict.fromkeys(keys.values())))
        places, findings, evidence = set[HunkPlace](), list[Finding](), list[Evidence]()
        has_evidence = False
        for place, key in keys.items():
            if key not in stored:
                continue
            said = _HunkFindings.model_validate_json(stored[key])
            moved = _moved(said, collected.file(place[0]), place)
            shown = _moved_evidence(said, collected.file(place[0]), place)
            if moved is not None and shown is not None:
                places.add(place)
                findings += moved
                evidence += shown
                has_evidence = has_evidence or said.evidence is not None
        return KnownHunks(
            places=frozenset(places), findings=findings, evidence=evidence if has_evidence else None
        )

    async def remember(self, collected: Collected, placed: Mapping[int, PlacedBundle]) -> None:
        """Stores what was said about each whole hunk of these bundles. A failure costs a later call only."""
        told = {
            hunk_key(collected.given, collected.diff.diff, place): findings.model_dump_json()
            for place, findings in _by_hunk(collected, placed)
        }
        if not told:
            return
        try:
            await self._store.remember_hunks(collected.given.run.principal, told)
        except StoreError as error:
            log.warning("the reviewed hunks are not remembered", error=error.message)


def hunk_key(given: ReviewInput, diff: Diff, place: HunkPlace) -> str:
    """A digest of all that shapes the answer, but the numbers of the lines."""
    file = diff.files[place[0]]
    hunk = file.hunks[place[1]]
    asked = given.instructions
    required = [one.shown for one in asked.requirements]
    said = [VERSION, given.run.model, asked.language, asked.text, asked.most, required]
    digest = hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass"))
    for part in (path_bytes(file.path), file.status.encode(), hunk.body):
        digest.update(b"%d\0" % len(part))
        digest.update(part)
    return digest.hexdigest()


def without(
    diff: Diff, places: frozenset[HunkPlace], excluded: frozenset[int]
) -> tuple[Diff, Sequence[Sequence[int]]]:
    """The diff without these hunks and without files that are excluded; by file, the positions of the hunks
    that remain."""
    kept: list[list[int]] = []
    files: list[FileDiff] = []
    for number, file in enumerate(diff.files):
        remaining = [
            n for n in range(len(file.hunks)) if (number, n) not in places and number not in excluded
        ]
        kept.append(remaining)
        files.append(replace(file, hunks=tuple(file.hunks[n] for n in remaining)))
    return Diff(files=tuple(files)), kept


EVERYTHING = ExclusionRules(include=("*",), max_lines=10**9)
"""Rules for a diff from which what is excluded was taken out."""


def _reviewable(ledger: Iterable[LedgerLine]) -> Sequence[HunkPlace]:
    places = (
        (line.file, line.hunk)
        for line in ledger
        if line.hunk is not None and line.coverage is not Coverage.EXCLUDED
    )
    return list(dict.fromkeys(places))


def _by_hunk(
    collected: Collected, placed: Mapping[int, PlacedBundle]
) -> Iterable[tuple[HunkPlace, _HunkFindings]]:
    """The hunks that one bundle shows whole. A finding without a line belongs to the first of its file."""
    parts: dict[HunkPlace, set[int | None]] = {}
    for line in collected.plan.ledger:
        if line.hunk is not None and line.reason != REVIEWED_BEFORE:
            parts.setdefault((line.file, line.hunk), set()).add(line.bundle if line.part == 0 else None)
    first_of_file = {place[0]: place for place in reversed(list(parts))}
    for place, bundles in parts.items():
        number = next(iter(bundles))
        if len(bundles) > 1 or number is None or number not in placed:
            continue
        hunk = collected.diff.diff.files[place[0]].hunks[place[1]]
        findings = tuple(
            one
            for one in placed[number].findings
            if one.file == place[0]
            and (one.hunk == place[1] if one.hunk is not None else first_of_file[one.file] == place)
        )
        told = placed[number].evidence
        evidence = None if told is None else tuple(one for one in told if (one.file, one.hunk) == place)
        yield place, _HunkFindings(first=_first(hunk), findings=findings, evidence=evidence)


def _first(hunk: Hunk) -> Mapping[Side, int]:
    return {side: hunk.first_line(side) for side in Side}


def _moved(stored: _HunkFindings, file: ReviewedFile, place: HunkPlace) -> list[Finding] | None:
    """The findings where the hunk is now; None if a line of one of them is not known here."""
    first = _first(file.file.hunks[place[1]])
    moved = []
    for finding in stored.findings:
        changes = {"file": place[0], "commit": file.commit, "path": file.path, "is_known": True}
        if finding.line is not None:
            distance = first[finding.side] - stored.first[finding.side]
            line = finding.line + distance
            text = file.lines[finding.side].get(line)
            if text is None or display_line(text) != finding.quote:
                return None
            changes |= {
                "hunk": place[1],
                "line": line,
                "end_line": (finding.end_line or finding.line) + distance,
                "anchor": str(anchor_of(file.file.path, finding.side, line, text)),
                "suggestion": _shifted(finding.suggestion, distance),
            }
        moved.append(finding.model_copy(update=changes))
    return moved


def _moved_evidence(stored: _HunkFindings, file: ReviewedFile, place: HunkPlace) -> list[Evidence] | None:
    first = _first(file.file.hunks[place[1]])
    moved = []
    for one in stored.evidence or ():
        line = one.line + first[one.side] - stored.first[one.side]
        text = file.lines[one.side].get(line)
        if text is None or display_line(text) != one.quote:
            return None
        anchor = str(anchor_of(file.file.path, one.side, line, text))
        changes = {"path": file.path, "line": line, "anchor": anchor, "file": place[0], "hunk": place[1]}
        moved.append(one.model_copy(update=changes))
    return moved


def _shifted(suggestion: LineReplacement | None, distance: int) -> LineReplacement | None:
    if suggestion is None:
        return None
    return suggestion.model_copy(
        update={"first": suggestion.first + distance, "last": suggestion.last + distance}
    )
