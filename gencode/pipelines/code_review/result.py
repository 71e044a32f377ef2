"""The result of a review: what clients read, as it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from gencode.diffs import Coverage
from gencode.pipelines.code_review.artifacts import Judged, Reviewed
from gencode.pipelines.code_review.findings import Finding, FindingStatus, Record, Severity
from gencode.pipelines.code_review.requirements import TracedRequirement, traced
from gencode.pipelines.code_review.review_plan import OVER_BUDGET, LedgerLine

OPEN = (FindingStatus.NEW, FindingStatus.RETURNED, FindingStatus.STILL_THERE)
"""Statuses of findings that wait for their author."""


class CoverageCount(Record):
    """Hunks, and changed lines, of which one thing became."""

    coverage: Coverage = Field(
        description="reviewed; excluded by a rule; over_budget; failed: no answer could be used"
    )
    hunks: int
    lines: int


class ReviewStats(Record):
    """Of the whole diff, and of the model's findings."""

    files: int
    added: int
    deleted: int
    calls: int = Field(description="Parts of the diff that the model was asked about")
    merged: int = Field(description="Findings that said the same as another one")
    refuted: int = Field(description="Findings that the self-check refuted")
    misplaced: int = Field(description="Findings about files that the model was not shown")
    unreadable: int = Field(description="Entries of answers that were no findings")
    left_out: int = Field(description="Findings beyond max_findings")
    self_checked: bool


class ReviewResult(Record):
    """What the review found, and what it has read."""

    subject: str = Field(description='What is reviewed again and again; "" if nobody has named it')
    base_commit: str = Field("", description='Of a repository, from which on; "" of a patch')
    head_commit: str = Field("", description="Up to this one")
    complete: bool = Field(description="Whether every hunk was reviewed, or excluded by a rule")
    coverage: tuple[CoverageCount, ...]
    stats: ReviewStats
    findings: tuple[Finding, ...] = Field(description="The most important first")
    requirements: tuple[TracedRequirement, ...] | None = Field(
        None, description="null without a requirement document, and if the model says nothing about it"
    )
    ledger: tuple[LedgerLine, ...] = Field(description="Each hunk of the diff, in its order")

    @property
    def open(self) -> Sequence[Finding]:
        return [finding for finding in self.findings if finding.status in OPEN]

    @property
    def hunks_reviewed(self) -> int:
        return sum(one.coverage is Coverage.REVIEWED for one in self.ledger)

    @property
    def severities(self) -> Mapping[Severity, int]:
        """Numbers of open findings."""
        counts = Counter(finding.severity for finding in self.open)
        return {severity: counts[severity] for severity in Severity}


def result_of(judged: Judged, findings: Sequence[Finding], left_out: int) -> ReviewResult:
    reviewed, made = judged.reviewed, judged.judged
    plan = reviewed.collected.plan
    ledger = plan.reviewed(reviewed.placed.keys(), reviewed.skipped)
    files, added, deleted = plan.stats
    return ReviewResult(
        subject=reviewed.collected.given.subject,
        base_commit=reviewed.collected.diff.base,
        head_commit=reviewed.collected.diff.head,
        complete=all(line.coverage in (Coverage.REVIEWED, Coverage.EXCLUDED) for line in ledger),
        coverage=_coverage(ledger),
        stats=ReviewStats(
            files=files,
            added=added,
            deleted=deleted,
            calls=len(reviewed.placed),
            merged=made.merged,
            refuted=made.refuted,
            misplaced=sum(one.misplaced for one in reviewed.placed.values()),
            unreadable=sum(one.unreadable for one in reviewed.placed.values()),
            left_out=left_out,
            self_checked=made.is_self_checked,
        ),
        findings=tuple(findings),
        requirements=_requirements(reviewed),
        ledger=ledger,
    )


def _requirements(reviewed: Reviewed) -> tuple[TracedRequirement, ...] | None:
    required = reviewed.collected.given.instructions.requirements
    told = [reviewed.collected.plan.known_evidence, *(one.evidence for one in reviewed.placed.values())]
    if not required or all(evidence is None for evidence in told):
        return None
    return tuple(traced(required, (one for evidence in told for one in evidence or ())))


def _coverage(ledger: Sequence[LedgerLine]) -> tuple[CoverageCount, ...]:
    hunks, lines = Counter[Coverage](), Counter[Coverage]()
    for line in ledger:
        hunks[line.coverage] += 1
        lines[line.coverage] += line.added + line.deleted
    return tuple(
        CoverageCount(coverage=one, hunks=hunks[one], lines=lines[one]) for one in Coverage if hunks[one]
    )


def reasons(ledger: Sequence[LedgerLine]) -> Mapping[str, Sequence[str]]:
    """The paths of what was not reviewed, by why not."""
    found: dict[str, dict[str, None]] = {}
    for line in ledger:
        if line.coverage is not Coverage.REVIEWED:
            reason = OVER_BUDGET if line.coverage is Coverage.OVER_BUDGET else line.reason
            found.setdefault(reason, {})[line.path] = None
    return {reason: list(paths) for reason, paths in found.items()}
