"""Reads all checkpoints of a task for a request. They may have 32 MiB, so few reads run concurrently, and
principals take turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio.to_thread

from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import Store
from gencode.http.fair_limiter import FairLimiter
from gencode.http.per_client_semaphore import PerClientSemaphore

T = TypeVar("T")
FEW_CHARACTERS = 16 * 1024
"""Total length of checkpoints that `make` reads in less time than a thread takes to start."""


class CheckpointReader:
    """Reads checkpoints and passes them to the function `make`, which may parse and join megabytes: in a
    thread, unless they are short.

    reads    limits concurrent reads with a small response
    exports  limits concurrent reads that compress or serialise a whole project, so that they do not delay
             other reads, not even those of the same principal
    """

    def __init__(self, store: Store, reads: FairLimiter, exports: FairLimiter) -> None:
        self._store = store
        self.reads = reads
        self._exports = exports
        self._one_at_a_time = PerClientSemaphore(1)

    async def read(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        """Returns the result of `make` for the task's checkpoints."""
        return await self._read(self.reads, task, make)

    async def export(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        """Like `read`, for a large response."""
        return await self._read(self._exports, task, make)

    async def read_with_log(
        self, task: Task, make: Callable[[Sequence[Event], Checkpoints], T], *, is_large: bool = False
    ) -> T:
        """Like `read`, or like `export` if the response is large, but `make` also gets the task's events,
        which may have many megabytes."""
        async with (self._exports if is_large else self.reads).hold(task.principal.id):
            events = await self._store.events(task.id)
            return await anyio.to_thread.run_sync(make, events, await self._store.checkpoints(task.id))

    async def find_and_read(
        self, client: str, find: Callable[[], Awaitable[Task]], make: Callable[[Task, Checkpoints], T]
    ) -> T:
        """Like `read`, for the task that `find` returns. `client`: the principal of the request.

        The requests of one client run one at a time, `find` included: a client that sends many requests
        causes little work while another client waits.
        """
        async with self._one_at_a_time.hold(client):
            task = await find()
            return await self.read(task, partial(make, task))

    async def _read(self, limiter: FairLimiter, task: Task, make: Callable[[Checkpoints], T]) -> T:
        async with limiter.hold(task.principal.id):
            return await self._made(task, make)

    async def _made(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        checkpoints = await self._store.checkpoints(task.id)
        if sum(map(len, checkpoints.values())) <= FEW_CHARACTERS:
            return make(checkpoints)
        return await anyio.to_thread.run_sync(make, checkpoints)
