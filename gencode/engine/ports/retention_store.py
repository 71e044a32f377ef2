"""The port to what a store deletes: finished tasks, whose usage it keeps as totals, and idempotency keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedTask:
    """A task that is over. `version`: as in `Task`; it is deleted only if it has not changed since."""

    id: str
    version: int
    principal: str
    kind: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageTotal:
    """What the deleted tasks of a principal, kind, model and month (of creation, `2026-11`) have used.

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


class RetentionStore(Protocol):
    """Part of the store. Every method takes a short time: pages and batches are the caller's."""

    async def finished_tasks(self, updated_before: datetime, after: str, limit: int) -> list[FinishedTask]:
        """Tasks that may be deleted, by id, from the first one after `after` ("": from the start)."""
        ...

    async def task_sizes(self, task_ids: Sequence[str]) -> dict[str, int]:
        """Bytes of the requests, events and checkpoints of tasks."""
        ...

    async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
        """Delete tasks with all that belongs to them and add their usage to the totals: all or nothing.

        Returns the ids of those that were deleted; one that has changed since it was read stays. Raises
        StoreError.
        """
        ...

    async def count_keys(self, created_before: datetime) -> int:
        """Idempotency keys of tasks that were created before."""
        ...

    async def delete_keys(self, created_before: datetime, limit: int) -> int:
        """Free at most `limit` of these keys; returns their number. Raises StoreError."""
        ...

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        """Of deleted tasks; None: of all principals."""
        ...
