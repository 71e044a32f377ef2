"""The stages from requirements to a blueprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import ModelRun, final_usage
from gencode.pipelines.blueprint import names
from gencode.pipelines.blueprint.collecting import Collecting
from gencode.pipelines.blueprint.delivering import Delivering
from gencode.pipelines.blueprint.detailing import Detailing
from gencode.pipelines.blueprint.messages import MESSAGES
from gencode.pipelines.blueprint.outlining import Outlining
from gencode.pipelines.blueprint.repairing import Repairing
from gencode.pipelines.blueprint.source import Source
from gencode.pipelines.blueprint.work import Details, Made, Outline, Work

M = TypeVar("M", bound=BaseModel)


class BlueprintPipeline:
    """See gencode.engine.ports.pipeline.Pipeline."""

    def __init__(
        self,
        collecting: Collecting,
        outlining: Outlining,
        detailing: Detailing,
        repairing: Repairing,
        delivering: Delivering,
        price: FindPrice,
    ) -> None:
        self._stages = (
            Stage(name=names.COLLECTING, run=collecting.run, applies=lambda work: work.source is None),
            Stage(name=names.OUTLINING, run=outlining.run, applies=lambda work: work.outline is None),
            Stage(name=names.DETAILING, run=detailing.run, applies=lambda work: work.details is None),
            Stage(name=names.REPAIRING, run=repairing.run, applies=lambda work: work.made is None),
            Stage(name=names.DELIVERING, run=delivering.run),
        )
        self._price = price

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Work:
        return Work(
            run=ModelRun.of(task, request, checkpoints),
            request=request,
            language=task.language,
            source=_stored(checkpoints, names.SOURCE, Source),
            outline=_stored(checkpoints, names.OUTLINE, Outline),
            details=_stored(checkpoints, names.DETAILS, Details),
            made=_stored(checkpoints, names.BLUEPRINT, Made),
        )

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        return final_usage(task, checkpoints, self._price)

    def message(self, task: Task, status: str) -> str:
        if status == "completed":
            result = task.result
            is_whole = result.get("is_complete", True) and not result.get("error_count")
            status = "incomplete" if not is_whole else "proposed" if result.get("proposal_id") else status
        return MESSAGES[status][task.language]


def _stored(checkpoints: Checkpoints, name: str, model: type[M]) -> M | None:
    text = checkpoints.get(name)
    return model.model_validate_json(text) if text else None
