"""The last stage: the result, with the findings of earlier reviews of the same subject."""

from __future__ import annotations

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.code_review.artifacts import Judged
from gencode.pipelines.code_review.findings import finding_id
from gencode.pipelines.code_review.names import REVIEW
from gencode.pipelines.code_review.result import ReviewResult, result_of


class Delivering:
    async def __call__(self, judged: Judged, emit: Emit) -> ReviewResult:
        given = judged.reviewed.collected.given
        subject = given.subject or given.run.task_id
        findings = [
            one.model_copy(update={"id": finding_id(given.run.principal, subject, one.identity)})
            for one in judged.judged.findings
        ]
        result = result_of(judged, findings)
        await emit(
            StageUpdate(checkpoints={REVIEW: result.model_dump_json()}, result={"review": summary(result)})
        )
        return result


def summary(result: ReviewResult) -> dict[str, object]:
    """The short fields of the task."""
    return {
        "complete": result.complete,
        "findings": len(result.open),
        **{severity.value: count for severity, count in result.severities.items()},
    }
