"""The pipeline: its stages, and how a task is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.certification import Certificate
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.build.archiving import Archiving
from gencode.pipelines.build.artifacts import (
    Archived,
    ArchiveFacts,
    Built,
    Given,
    HoleOutcome,
    HoleOutcomes,
    RenderedProject,
    filled_files,
)
from gencode.pipelines.build.messages import message
from gencode.pipelines.build.names import (
    ARCHIVED,
    ARCHIVING,
    CERTIFICATE,
    HOLES,
    RENDERED,
    RENDERING,
    VERIFYING,
    WRITING,
)
from gencode.pipelines.build.rendering import Rendering
from gencode.pipelines.build.verifying import Verifying
from gencode.pipelines.build.writing_holes import WritingHoles, has_holes


class Build:
    """Implements Pipeline."""

    def __init__(
        self,
        rendering: Rendering,
        writing: WritingHoles,
        archiving: Archiving,
        verifying: Verifying,
        price: FindPrice,
        *,
        is_off: bool,
    ) -> None:
        """`is_off`: whether the sandbox is."""
        self._stages = (
            Stage(name=RENDERING, run=rendering),
            Stage(name=WRITING, run=writing, applies=has_holes),
            Stage(name=ARCHIVING, run=archiving),
            Stage(name=VERIFYING, run=verifying),
        )
        self._price = price
        self._is_off = is_off

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(
        self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints
    ) -> Given | Built | Archived:
        given = _given(task, request, checkpoints)
        built = built_of(given, checkpoints)
        if built is None or ARCHIVED not in checkpoints:
            return built or given
        stored = checkpoints.get(CERTIFICATE)
        return Archived(
            built=built,
            facts=ArchiveFacts.model_validate_json(checkpoints[ARCHIVED]),
            certificate=Certificate.model_validate_json(stored) if stored else None,
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        return message(task, status, self._is_off)


def built_of(given: Given, checkpoints: Checkpoints) -> Built | None:
    if RENDERED not in checkpoints:
        return None
    rendered = RenderedProject.model_validate_json(checkpoints[RENDERED])
    return Built(given=given, rendered=rendered, holes=_outcomes(checkpoints))


def files_of(checkpoints: Checkpoints) -> Mapping[str, str]:
    """Of a build whose templates are rendered."""
    return filled_files(RenderedProject.model_validate_json(checkpoints[RENDERED]), _outcomes(checkpoints))


def _outcomes(checkpoints: Checkpoints) -> tuple[HoleOutcome, ...]:
    stored = checkpoints.get(HOLES)
    return HoleOutcomes.model_validate_json(stored).holes if stored else ()


def _given(task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Given:
    return Given(
        run=ModelRun.of(task, request, checkpoints),
        blueprint_id=request["blueprint_id"],
        version_tag=request["version_tag"],
        blueprint=request["blueprint"],
        digest=request["blueprint_digest"],
        project_name=request["project_name"],
        stack=request["stack"],
        scope=request["scope"],
        holes=request.get("holes", "model"),
    )
