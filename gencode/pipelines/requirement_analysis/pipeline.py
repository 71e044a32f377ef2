"""The stages of an analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.requirement_analysis.analysing import Analysing
from gencode.pipelines.requirement_analysis.collecting import Collecting
from gencode.pipelines.requirement_analysis.delivering import Delivering
from gencode.pipelines.requirement_analysis.messages import MESSAGES
from gencode.pipelines.requirement_analysis.source import Source
from gencode.pipelines.requirement_analysis.work import (
    ANALYSING,
    ANALYSIS,
    COLLECTING,
    DELIVERING,
    SOURCE,
    Work,
)
from gencode.workspace.requirement_documents.requirement import Analysis


class RequirementAnalysis:
    """See gencode.engine.ports.pipeline.Pipeline."""

    def __init__(
        self, collecting: Collecting, analysing: Analysing, delivering: Delivering, price: FindPrice
    ) -> None:
        self._stages = (
            Stage(name=COLLECTING, run=collecting.run, applies=lambda work: work.source is None),
            Stage(name=ANALYSING, run=analysing.run, applies=lambda work: work.analysis is None),
            Stage(name=DELIVERING, run=delivering.run),
        )
        self._price = price

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Work:
        source, analysis = checkpoints.get(SOURCE), checkpoints.get(ANALYSIS)
        return Work(
            run=ModelRun.of(task, request, checkpoints),
            document_id=str(request["document_id"]),
            template_id=request.get("template_id"),
            source=Source.model_validate_json(source) if source else None,
            analysis=Analysis.model_validate_json(analysis) if analysis else None,
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        is_incomplete = status == "completed" and task.result.get("is_complete") is False
        return MESSAGES["incomplete" if is_incomplete else status][task.language]
