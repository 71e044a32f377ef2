"""Reads all checkpoints of a task for one request, which may be 32 MiB: few at a time, and fair to
principals."""

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
"""Of all checkpoints, which are read in less time than a thread takes to begin."""


class CheckpointReader:
    """`make` is called in a thread if it is given much: it may parse and join megabytes.

    reads    admits reads of which the response is small
    exports  admits those that compress or serialise a whole project, so that they delay no reads, not even
             of the same principal
    """

    def __init__(self, store: Store, reads: FairLimiter, exports: FairLimiter) -> None:
        self._store = store
        self.reads = reads
        self._exports = exports
        self._one_at_a_time = PerClientSemaphore(1)

    async def read(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        """What `make` makes of the task's checkpoints."""
        return await self._read(self.reads, task, make)

    async def export(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        """As `read`, for a large response."""
        return await self._read(self._exports, task, make)

    async def read_with_log(
        self, task: Task, make: Callable[[Sequence[Event], Checkpoints], T], *, is_large: bool = False
    ) -> T:
        """As `read`, or as `export` for a large response, with the task's events: of a long log many
        megabytes."""
        async with (self._exports if is_large else self.reads).hold(task.principal.id):
            events = await self._store.events(task.id)
            return await anyio.to_thread.run_sync(make, events, await self._store.checkpoints(task.id))

    async def find_and_read(
        self, client: str, find: Callable[[], Awaitable[Task]], make: Callable[[Task, Checkpoints], T]
    ) -> T:
        """As `read`, for a task that `find` looks up. `client`: the request's principal.

        A client's next request is looked up when the one before it is read, so that of a flood as little as
        possible is done while another client waits.
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
