"""A concurrency limiter that admits the largest waiting piece of work first."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class LargestFirstLimiter:
    """Work that takes long must not start last, or it alone determines the total time."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity
        self._count = 0
        self._waiting: list[tuple[int, int, anyio.Event]] = []

    @asynccontextmanager
    async def acquire(self, size: int) -> AsyncIterator[None]:
        """Wait for a slot for work of this size (any unit); equal sizes are admitted in order of arrival."""
        admitted = anyio.Event()
        self._count += 1
        entry = (-size, self._count, admitted)
        heapq.heappush(self._waiting, entry)
        self._admit()
        try:
            await admitted.wait()
            yield
        finally:
            if admitted.is_set():
                self._free += 1
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            self._admit()

    def _admit(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            heapq.heappop(self._waiting)[2].set()
