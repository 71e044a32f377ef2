"""Reads all checkpoints of a task for one request, which may be 32 MiB: few at a time, and fair to
principals."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import anyio.to_thread

from gencode.domain.task import Task
from gencode.engine.pipeline import Checkpoints
from gencode.engine.store import Store

T = TypeVar("T")


class FairLimiter:
    """Admits `total` holders at once, and one of each key: a key that waits holds up no other key.

    Without it, six downloads of a 30 MiB archive raised another client's file list from 6 ms to 5.6 s.
    """

    def __init__(self, total: int) -> None:
        self._total = anyio.CapacityLimiter(total)
        self._locks: dict[str, anyio.Lock] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Holders with the same key, and of all keys, are admitted in the order of their calls."""
        self._users[key] += 1
        lock = self._locks.setdefault(key, anyio.Lock())
        try:
            async with lock, self._total:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]


class CheckpointReader:
    """`make` is called in a thread, since it may parse and join megabytes."""

    def __init__(self, store: Store, limiter: FairLimiter) -> None:
        self._store = store
        self.limiter = limiter

    async def read(self, task: Task, make: Callable[[Checkpoints], T]) -> T:
        """What `make` makes of the task's checkpoints."""
        async with self.limiter.hold(task.principal.id):
            return await anyio.to_thread.run_sync(make, await self._store.checkpoints(task.id))
