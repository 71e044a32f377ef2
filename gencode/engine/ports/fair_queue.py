"""The port to the queue: ids of tasks that wait for a worker, and their delivery to the workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A task for a worker. `owner`: what the worker stores as Task.owner."""

    task_id: str
    owner: str = ""


class Undelivered(Exception):
    """A handler has left its task unfinished: it must be delivered again later."""


Handler = Callable[[Delivery], Awaitable[None]]
"""Runs a task until it is over or paused. Raises Undelivered, and nothing else unless it is cancelled."""


class Queue(Protocol):
    """Bounded, and fair between principals. It holds ids only: a worker reads the task from the store.

    Order: first in, first out within a principal; round robin among principals. Delivery: an id that was put
    is delivered at least once, and to one worker at a time; putting an id that is queued already changes
    nothing. A queue that shares the store's transactions queues what is stored as queued: there `put` and
    `remove` do nothing.
    """

    def __len__(self) -> int: ...

    def __contains__(self, task_id: object) -> bool: ...

    def reserve(self, principal: str) -> AbstractContextManager[None]:
        """Reserve a place while the task is being stored. Raises QueueFull.

        In a queue that other principals have filled, a few places are reserved for those with few ids.
        """
        ...

    def put(self, task_id: str, principal: str) -> None: ...

    def put_first(self, task_id: str, principal: str) -> None:
        """Put the id before the principal's other ids: where it was before `remove`."""
        ...

    def remove(self, task_id: str) -> bool:
        """Remove an id from the queue; returns whether it was queued."""
        ...

    async def work(self, handler: Handler, concurrency: int) -> None:
        """Deliver tasks to the handler until cancelled, at most `concurrency` at once."""
        ...

    async def is_alive(self, owner: str) -> bool:
        """Whether this worker of another process has sent a recent heartbeat. Raises StoreError."""
        ...

    async def request_cancel(self, task_id: str) -> None:
        """Request the process that runs the task to cancel it. The request may be lost: repeat it."""
        ...
