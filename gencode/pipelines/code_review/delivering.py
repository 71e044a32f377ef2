"""The result, with the findings of earlier reviews of the same subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.code_review.artifacts import Judged, ReviewInput
from gencode.pipelines.code_review.findings import Finding, FindingStatus
from gencode.pipelines.code_review.names import REVIEW
from gencode.pipelines.code_review.result import ReviewResult, result_of
from gencode.pipelines.code_review.seen_lines import packed, seen_lines, unpacked
from gencode.pipelines.code_review.tracking import known_findings, record_of, with_statuses
from gencode.workspace.reviews.store import LastReview, ReviewStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    given: ReviewInput
    result: ReviewResult


class Delivering:
    """The result is a checkpoint before anything is written, so that a repetition writes the same."""

    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    async def __call__(self, judged: Judged, emit: Emit) -> Delivered:
        given = judged.reviewed.collected.given
        stored = given.checkpoints.get(REVIEW)
        result = ReviewResult.model_validate_json(stored) if stored else await self._result(judged)
        if not stored:
            checkpoint = {REVIEW: result.model_dump_json()}
            await emit(StageUpdate(checkpoints=checkpoint, result={"review": summary(result)}))
        if given.subject:
            await self._record(judged, result)
        return Delivered(given=given, result=result)

    async def _result(self, judged: Judged) -> ReviewResult:
        given = judged.reviewed.collected.given
        last = LastReview()
        if given.subject:
            last = await self._store.last_review(given.run.principal, given.subject)
        return await anyio.to_thread.run_sync(_tracked, judged, last)

    async def _record(self, judged: Judged, result: ReviewResult) -> None:
        collected = judged.reviewed.collected
        lines = await anyio.to_thread.run_sync(lambda: packed(seen_lines(collected.diff.diff)))
        records = [record_of(finding) for finding in result.findings]
        run, subject = collected.given.run, collected.given.subject
        await self._store.record(run.principal, subject, run.task_id, lines, records)


def _tracked(judged: Judged, last: LastReview) -> ReviewResult:
    collected = judged.reviewed.collected
    given, diff = collected.given, collected.diff.diff
    known = known_findings(last.findings, unpacked(last.lines), seen_lines(diff), diff)
    subject = given.subject or given.run.task_id
    findings = with_statuses(judged.judged.findings, known, given.run.principal, subject)
    kept = _limited(findings, given.max_findings)
    return result_of(judged, kept, len(findings) - len(kept))


def _limited(findings: Sequence[Finding], most: int) -> list[Finding]:
    """The most important new ones, and all that were told before."""
    new = [one for one in findings if one.status is FindingStatus.NEW]
    left_out = {one.id for one in new[most:]}
    return [one for one in findings if one.id not in left_out]


def summary(result: ReviewResult) -> dict[str, object]:
    """The short fields of the task."""
    return {
        "complete": result.complete,
        "hunks_reviewed": result.hunks_reviewed,
        "left_out": result.stats.left_out,
        "findings": len(result.open),
        **{severity.value: count for severity, count in result.severities.items()},
    }
