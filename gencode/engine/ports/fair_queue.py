"""The port to the fair queue: the ids of tasks that wait for a worker."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Queue(Protocol):
    """Bounded, and fair between principals. It holds ids only: a worker reads the task from the store.

    Order: first in, first out within a principal; principals take turns. Delivery: an id that was put is
    taken once; putting an id that is queued already changes nothing.
    """

    def __len__(self) -> int: ...

    def __contains__(self, task_id: object) -> bool: ...

    def reserve(self, principal: str) -> AbstractContextManager[None]:
        """Reserve a place while the task is being stored. Raises QueueFull.

        A few places are kept for principals that have few ids in a queue that others have filled.
        """
        ...

    def put(self, task_id: str, principal: str) -> None: ...

    def put_first(self, task_id: str, principal: str) -> None:
        """Put the id before the principal's other ids: where it was before `remove`."""
        ...

    async def take(self) -> str:
        """Wait for the next id."""
        ...

    def remove(self, task_id: str) -> bool:
        """Remove an id from the queue; returns whether it was queued."""
        ...
