"""What the stages of a task work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints, StageUpdate
from gencode.llm.budget import Budget, total
from gencode.llm.charge_checkpoints import usages_without_answer
from gencode.llm.port import Usage
from gencode.model_tasks.request import budget_of
from gencode.workspace.knowledge_bases.repository_documents import RepositoryVersion
from gencode.workspace.task_rows import TaskVersion

USED = "encoded"
"""The checkpoint of what all answered calls of the task have used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexWork:
    """document_id  None: the files of a repository, or the whole base
    commit       of the repository; "" until it is read
    spent        by all calls so far, those of a killed process with all they may have used
    answered     by those of them whose vectors are stored
    lost         charge the calls that a killed process has left open: their vectors may be stored, so that no
                 further call would tell what they may have cost
    chunks       that the task has put into the index
    """

    task: TaskVersion
    principal: str
    base_id: str
    document_id: str | None
    repository_id: str | None
    ref: str | None
    commit: str
    budget: Budget
    spent: Usage
    answered: Usage
    lost: Sequence[StageUpdate] = ()
    chunks: int = 0

    @classmethod
    def of(
        cls,
        task: Task,
        request: Mapping[str, Any],
        checkpoints: Checkpoints,
        lost: Sequence[StageUpdate] = (),
    ) -> IndexWork:
        return cls(
            task=TaskVersion.of(task),
            principal=task.principal.id,
            base_id=str(request["knowledge_base_id"]),
            document_id=request.get("document_id"),
            repository_id=request.get("repository_id"),
            ref=request.get("ref"),
            commit=str(task.result.get("commit") or ""),
            budget=budget_of(request),
            spent=spent(checkpoints),
            answered=answered(checkpoints),
            lost=lost,
            chunks=int(task.result.get("chunk_count") or 0),
        )

    @property
    def task_id(self) -> str:
        return self.task.id

    @property
    def is_of_documents(self) -> bool:
        """Whether it adds documents, and not only what a base lacks."""
        return self.document_id is not None or self.repository_id is not None

    @property
    def version(self) -> RepositoryVersion:
        """Of the files of a repository."""
        return RepositoryVersion(
            base_id=self.base_id,
            task=self.task,
            repository_id=self.repository_id or "",
            commit_id=self.commit,
        )

    def at(self, commit: str) -> IndexWork:
        return replace(self, commit=commit)


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
