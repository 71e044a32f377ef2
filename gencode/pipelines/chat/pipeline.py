"""The pipeline of the kind `chat`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, Stage, StageUpdate
from gencode.llm.interrupted_calls import FindPrice
from gencode.model_tasks.calls import final_usage
from gencode.pipelines.chat.answering import Answering
from gencode.pipelines.chat.collecting import Collecting
from gencode.pipelines.chat.delivering import Delivering
from gencode.pipelines.chat.texts import ANSWERING, COLLECTING, DELIVERING, MESSAGES
from gencode.pipelines.chat.turn import Turn, restored
from gencode.workspace.conversations.settlement import USAGE


class Chat:
    """Implements Pipeline."""

    def __init__(
        self, collecting: Collecting, answering: Answering, delivering: Delivering, price: FindPrice
    ) -> None:
        self._stages = (
            Stage(name=COLLECTING, run=collecting),
            Stage(name=ANSWERING, run=answering),
            Stage(name=DELIVERING, run=delivering),
        )
        self._price = price

    @property
    def stages(self) -> Sequence[Stage]:
        return self._stages

    def restore(self, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> Turn:
        return restored(task, request, checkpoints)

    def final_updates(self, task: Task, checkpoints: Checkpoints) -> Sequence[StageUpdate]:
        """The result has the usage of all calls, those of a killed process included."""
        updates = final_usage(task, checkpoints, self._price)
        return [replace(update, result={USAGE: update.data["total"]}) for update in updates]

    def message(self, task: Task, status: str) -> str:
        return MESSAGES[status][task.language]
