"""The plan of a review as a checkpoint: what each call is shown, and the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gencode.diffs import Coverage, LedgerEntry, ReviewPlan, Stats, display_path
from gencode.pipelines.code_review.findings import Finding, Record
from gencode.pipelines.code_review.requirements import Evidence


class PlannedBundle(Record):
    """What one call is shown. `files`: their positions in the diff."""

    number: int
    text: str
    files: tuple[int, ...]


class LedgerLine(Record):
    """See LedgerEntry. `reason`: why it was not reviewed, or "reviewed_before"; else "" """

    file: int
    path: str
    hunk: int | None
    part: int
    coverage: Coverage
    bundle: int | None
    reason: str
    added: int
    deleted: int


class StoredPlan(Record):
    """stats  of the whole diff: files, added lines, deleted lines
    known  findings of hunks that were reviewed before
    known_evidence  about requirements, of those hunks; None if there is none
    """

    bundles: tuple[PlannedBundle, ...]
    ledger: tuple[LedgerLine, ...]
    stats: tuple[int, int, int]
    known: tuple[Finding, ...] = ()
    known_evidence: tuple[Evidence, ...] | None = None

    @classmethod
    def of(cls, plan: ReviewPlan, hunks: Sequence[Sequence[int]] | None = None) -> StoredPlan:
        """`hunks`: by file, the positions in the whole diff of the hunks that are planned; None for all."""
        ledger = tuple(_line(entry, hunks) for entry in plan.ledger.entries)
        shown: dict[int, dict[int, None]] = {bundle.number: {} for bundle in plan.bundles}
        for line in ledger:
            if line.bundle is not None:
                shown[line.bundle][line.file] = None
        bundles = (
            PlannedBundle(number=one.number, text=one.text, files=tuple(shown[one.number]))
            for one in plan.bundles
        )
        return cls(bundles=tuple(bundles), ledger=ledger, stats=_stats(plan.ledger.stats))

    def reviewed(self, bundles: Collection[int], skipped: Mapping[int, str]) -> tuple[LedgerLine, ...]:
        """The ledger at the end. `skipped`: why bundles were not reviewed, as the code of an error."""
        return tuple(_reviewed(line, bundles, skipped) for line in self.ledger)


OVER_BUDGET = "BUDGET_EXCEEDED"
"""The code of the error after which a bundle counts as over budget."""


def _reviewed(line: LedgerLine, bundles: Collection[int], skipped: Mapping[int, str]) -> LedgerLine:
    if line.bundle in bundles:
        return line.model_copy(update={"coverage": Coverage.REVIEWED})
    if line.bundle is None:
        return line
    code = skipped.get(line.bundle, "")
    coverage = Coverage.OVER_BUDGET if code == OVER_BUDGET else Coverage.FAILED
    return line.model_copy(update={"coverage": coverage, "reason": code})


def _line(entry: LedgerEntry, hunks: Sequence[Sequence[int]] | None) -> LedgerLine:
    return LedgerLine(
        file=entry.file,
        path=display_path(entry.path),
        hunk=entry.hunk if hunks is None or entry.hunk is None else hunks[entry.file][entry.hunk],
        part=entry.part,
        coverage=entry.coverage,
        bundle=entry.bundle,
        reason=str(entry.reason),
        added=entry.added,
        deleted=entry.deleted,
    )


def _stats(stats: Stats) -> tuple[int, int, int]:
    return stats.files, stats.added, stats.deleted
