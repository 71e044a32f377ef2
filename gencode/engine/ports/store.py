"""The port to durable storage: tasks, their requests, event logs and checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import State, Task
from gencode.engine.ports.retention_store import TaskDeletion


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyKey:
    """A principal's own name for one submission. `digest` identifies the body of that submission."""

    principal: str
    value: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskQuery:
    """Selects tasks, newest first. None: no condition.

    ids        of the tasks
    statuses   public ones (see Task.status), such as `pending`, `generating` or `completed`
    cache_key  "" matches no task
    before     only tasks whose id sorts before this one
    expired    only paused tasks whose deadline has passed at this time, in UTC
    """

    id: str | None = None
    ids: Collection[str] | None = None
    principal: str | None = None
    kind: str | None = None
    states: Collection[State] | None = None
    statuses: Collection[str] | None = None
    cache_key: str | None = None
    before: str | None = None
    expired: datetime | None = None
    limit: int = 100


class Store(TaskDeletion, Protocol):
    """Every write has one of four outcomes:

    - it returns: the write is on disk, and a loss of power does not undo it;
    - StoreError: nothing was stored;
    - OutcomeUnknown (a StoreError): the disk did not confirm; read the task back before repeating the write;
    - Conflict: another writer has committed this task since it was read. Nothing was stored, and this writer
      must not write the task again.

    Cancelling a caller does not cancel its write: the outcome is then unknown to it.
    Calls may overlap; writes take effect in the order of the calls.
    """

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        """Store a new task, its immutable request (JSON) and its first events.

        Returns the task; if the key was used before, the task of its first use (with another id). `callback`:
        see gencode.engine.ports.callback_outbox. Raises IdempotencyKeyReused if the first use of the key had
        another body.
        """
        ...

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        """Replace the task's row, append events and store checkpoints: all or nothing.

        `task.version` must be one more than the stored one, or Conflict is raised. The request is not
        written.
        """
        ...

    async def find(self, query: TaskQuery) -> list[Task]:
        """Matching tasks, newest (largest id) first. Reads no requests."""
        ...

    async def count(self, query: TaskQuery) -> int:
        """How many tasks match, whatever the query's limit."""
        ...

    async def find_by_key(self, key: IdempotencyKey) -> Task | None:
        """The task of the first use of a key, as it is now; None if the key was not used.

        Raises IdempotencyKeyReused.
        """
        ...

    async def request(self, task_id: str) -> dict[str, Any]:
        """The request as it was accepted; empty for an unknown task."""
        ...

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        """The log in order, from the first event whose id is greater than `after`; empty for an unknown
        task."""
        ...

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        """The beginning of what `events` returns, and whether that is all: a log may have many megabytes."""
        ...

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        """Every checkpoint of a task, in the order in which they were first stored."""
        ...

    async def check_writable(self) -> None:
        """Write a small row, as durably as all others, that changes no data. Raises StoreError if it cannot
        be stored, for example because the disk is full or read-only."""
        ...
