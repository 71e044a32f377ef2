"""The pipeline: its stages, and how a task is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Artifact, Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.code_review.artifacts import Judged, JudgedFindings, Reviewed, ReviewInput
from gencode.pipelines.code_review.collecting import Collecting, restored
from gencode.pipelines.code_review.delivering import Delivered, Delivering
from gencode.pipelines.code_review.judging import Judging
from gencode.pipelines.code_review.messages import message
from gencode.pipelines.code_review.names import (
    COLLECTING,
    DELIVERING,
    JUDGED,
    JUDGING,
    POSTING,
    REVIEW,
    REVIEWING,
)
from gencode.pipelines.code_review.posting import PostingStage
from gencode.pipelines.code_review.prompts import ReviewInstructions
from gencode.pipelines.code_review.requirements import RequiredText
from gencode.pipelines.code_review.result import ReviewResult
from gencode.pipelines.code_review.reviewing import Reviewing, placed_bundles, skipped_bundles


class CodeReview:
    """Implements Pipeline."""

    def __init__(
        self,
        collecting: Collecting,
        reviewing: Reviewing,
        judging: Judging,
        delivering: Delivering,
        posting: PostingStage,
        price: FindPrice,
    ) -> None:
        self._stages = (
            Stage(name=COLLECTING, run=collecting),
            Stage(name=REVIEWING, run=reviewing),
            Stage(name=JUDGING, run=judging),
            Stage(name=DELIVERING, run=delivering),
            Stage(name=POSTING, run=posting, applies=posting.applies),
        )
        self._price = price

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Artifact:
        given = _input(task, request, checkpoints)
        if task.stage in ("", COLLECTING):
            return given
        if task.stage == POSTING:
            return Delivered(given=given, result=ReviewResult.model_validate_json(checkpoints[REVIEW]))
        collected = restored(given)
        if task.stage == REVIEWING:
            return collected
        reviewed = Reviewed(
            collected=collected, placed=placed_bundles(checkpoints), skipped=skipped_bundles(checkpoints)
        )
        if task.stage == JUDGING:
            return reviewed
        return Judged(reviewed=reviewed, judged=JudgedFindings.model_validate_json(checkpoints[JUDGED]))

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        return message(task, status)


def _input(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> ReviewInput:
    return ReviewInput(
        run=ModelRun.of(task, request, checkpoints),
        request=request,
        subject=str(request.get("subject") or ""),
        instructions=ReviewInstructions(
            language=str(request["language"]),
            text=str(request.get("instructions") or ""),
            requirements=tuple(map(RequiredText.model_validate, request.get("requirements") or ())),
        ),
        is_self_checked=bool(request["self_check"]),
        max_findings=int(request["max_findings"]),
    )
