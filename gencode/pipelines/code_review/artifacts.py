"""What the stages hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gencode.engine.ports.pipeline import Checkpoints
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.code_review.findings import Finding, Record
from gencode.pipelines.code_review.placing import ReviewedFile
from gencode.pipelines.code_review.prompts import ReviewInstructions
from gencode.pipelines.code_review.requirements import Evidence
from gencode.pipelines.code_review.review_plan import PlannedBundle, StoredPlan
from gencode.pipelines.code_review.stored_diff import ReviewedDiff


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewInput:
    """subject  names what is reviewed again and again; "" if nobody has named it"""

    run: ModelRun
    request: Mapping[str, Any] = field(repr=False)
    subject: str
    instructions: ReviewInstructions
    is_self_checked: bool
    max_findings: int

    @property
    def checkpoints(self) -> Checkpoints:
        return self.run.checkpoints


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    given: ReviewInput
    diff: ReviewedDiff
    plan: StoredPlan

    def file(self, number: int) -> ReviewedFile:
        """By its position in the diff."""
        diff = self.diff
        file, blob = diff.diff.files[number], diff.blobs.get(number)
        return ReviewedFile(number=number, file=file, commit=diff.commits[number], blob=blob)

    def files(self, bundle: PlannedBundle) -> Sequence[ReviewedFile]:
        """The files that a bundle shows."""
        return list(map(self.file, bundle.files))


class PlacedBundle(Record):
    """What a model said about a bundle.

    misplaced   claims about files that it was not shown
    unreadable  entries of the answer that are no findings
    evidence    about requirements; None if the answer has none
    """

    findings: tuple[Finding, ...]
    misplaced: int = 0
    unreadable: int = 0
    evidence: tuple[Evidence, ...] | None = None


class SkippedBundles(Record):
    """By the number of the bundle: the code of the error because of which it was not reviewed."""

    codes: Mapping[int, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """placed, skipped: by the number of the bundle."""

    collected: Collected
    placed: Mapping[int, PlacedBundle]
    skipped: Mapping[int, str]


class JudgedFindings(Record):
    """The findings that remain, ranked. `refuted`: those that the self-check refuted."""

    findings: tuple[Finding, ...]
    merged: int = 0
    refuted: int = 0
    is_self_checked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    reviewed: Reviewed
    judged: JudgedFindings
