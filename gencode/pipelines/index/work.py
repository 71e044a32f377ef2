"""What the stages of a task work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.llm.budget import Budget, total
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.port import Usage
from gencode.model_tasks.request import budget_of

USED = "encoded"
"""The checkpoint of what all answered calls of the task have used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexWork:
    """document_id  None: the whole base
    spent        by all calls so far, those of a killed process with all they may have used
    answered     by those of them whose vectors are stored
    chunks       that the task has put into the index
    """

    task_id: str
    principal: str
    base_id: str
    document_id: str | None
    budget: Budget
    spent: Usage
    answered: Usage
    chunks: int = 0

    @classmethod
    def of(cls, task: Task, request: Mapping[str, Any], checkpoints: Checkpoints) -> IndexWork:
        return cls(
            task_id=task.id,
            principal=task.principal.id,
            base_id=str(request["knowledge_base_id"]),
            document_id=request.get("document_id"),
            budget=budget_of(request),
            spent=spent(checkpoints),
            answered=answered(checkpoints),
            chunks=int(task.result.get("chunk_count") or 0),
        )


class Used(BaseModel):
    """The checkpoint USED."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    usage: Usage


def answered(checkpoints: Checkpoints) -> Usage:
    """What the answered calls have used."""
    text = checkpoints.get(USED)
    return Used.model_validate_json(text).usage if text else Usage()


def spent(checkpoints: Checkpoints) -> Usage:
    """What all calls have used."""
    return total(answered(checkpoints), *usages_without_answer(checkpoints))
