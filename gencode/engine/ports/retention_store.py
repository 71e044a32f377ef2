"""The port to the deletion of finished tasks, whose usage is kept as totals, and of idempotency keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gencode.domain.task import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedTask:
    """A finished task. `version`: as in `Task`; the task is deleted only if it has not changed since."""

    id: str
    version: int
    principal: str
    kind: str
    updated_at: datetime


def finished_task(task: Task) -> FinishedTask:
    return FinishedTask(
        id=task.id,
        version=task.version,
        principal=task.principal.id,
        kind=task.kind,
        updated_at=task.updated_at,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageTotal:
    """The usage of the deleted tasks of a principal, kind, model and month of creation (`2026-11`).

    cost   the sum of the known costs, as a decimal text; None while none is known
    """

    principal: str
    kind: str
    model: str
    month: str
    tasks: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: str | None


class TaskDeletion(Protocol):
    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        """Delete tasks with all their data and add their usage to the totals, in one transaction.

        Returns the ids of those that were deleted; one that has changed since it was read stays, and so does
        one with undelivered events of its callback. Raises StoreError.
        """
        ...


class RetentionStore(TaskDeletion, Protocol):
    """The store's methods for retention. Each call is short: the caller divides the work into pages and
    batches."""

    async def finished_tasks(self, updated_before: datetime, after: str, limit: int) -> list[FinishedTask]:
        """Tasks that may be deleted, by id, from the first one after `after` ("": from the start)."""
        ...

    async def task_sizes(self, task_ids: Sequence[str]) -> dict[str, int]:
        """The bytes of the requests, events and checkpoints of tasks, by task id."""
        ...

    async def count_keys(self, created_before: datetime) -> int:
        """The number of idempotency keys of tasks that were created before this time."""
        ...

    async def delete_keys(self, created_before: datetime, limit: int) -> int:
        """Delete at most `limit` of these keys; returns the number of deleted keys. Raises StoreError."""
        ...

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        """The usage totals of the deleted tasks of a principal; None: of all principals."""
        ...
