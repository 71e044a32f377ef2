"""The port to the tasks that wait for a user's decision, of all processes that share the store."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol


class ExpiredPause(NamedTuple):
    """A paused task whose deadline, `until`, has passed."""

    task_id: str
    until: datetime


class PausedTasks(Protocol):
    """A registry of the paused tasks. One that reads them from the store ignores `put` and `remove`."""

    def __len__(self) -> int: ...

    def __contains__(self, task_id: object) -> bool: ...

    async def check_limit(self, principal: str) -> None:
        """Raises QueueFull for a principal with too many paused tasks."""
        ...

    def put(self, task_id: str, principal: str, until: datetime) -> None: ...

    def until(self, task_id: str) -> datetime | None:
        """The deadline of the decision; None if the task was not put here."""
        ...

    def remove(self, task_id: str, until: datetime | None = None) -> bool:
        """`until`: only if this is its deadline. False if the task is known not to be paused (until then)."""
        ...

    async def expired(self) -> ExpiredPause:
        """The next task whose deadline has passed, once there is one; it stays until it is removed."""
        ...
