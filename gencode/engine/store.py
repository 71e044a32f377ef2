"""The seam to durable storage: tasks, their event logs, and the parts kept by stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Status, Task


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyKey:
    """A client's own name for one submission. `digest` identifies the body it came with."""

    client: str
    value: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskQuery:
    """Which tasks, newest first. None means any. `before`: only ids that sort before this one. No task is
    found by the digest "", which says nothing."""

    id: str | None = None
    client: str | None = None
    statuses: Sequence[Status] | None = None
    digest: str | None = None
    before: str | None = None
    limit: int = 100


class Store(Protocol):
    """What returned is on disk: power may fail afterwards. What raised StoreError did not happen.

    Calls may overlap; writes take effect in the order of the calls. One process owns a store. A call whose
    waiting is cancelled may still take effect.
    """

    async def create(
        self,
        task: Task,
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        """Store a new task with its first events, and whom to tell of it (see gencode.engine.outbox). With a known
        key: the task it named first (another id).

        Raises KeyReused when the key came with another body, StoreError when nothing was stored.
        """
        ...

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        """Replace the task, append events and keep parts: all or nothing.

        Raises StoreError; an event id that exists already is one (two writers of one task are a bug).
        """
        ...

    async def named(self, key: IdempotencyKey) -> Task | None:
        """The task that a known key named, as it is now; None while the key is free.

        Raises KeyReused when the key came with another body.
        """
        ...

    async def find(self, query: TaskQuery) -> list[Task]:
        """Matching tasks, newest (largest id) first."""
        ...

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        """The log in order, from the first event whose id is greater than `after`. Unknown task: empty."""
        ...

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        """Every part kept for a task, in the order in which they were first kept."""
        ...
