"""A bounded number of places; who waits longest for one is not who came first but who has most to do."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class LargestFirstLimiter:
    """Longest first: with few places, what takes long must not be begun last."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._count = 0
        self._waiting: list[tuple[int, int, anyio.Event]] = []

    @asynccontextmanager
    async def of(self, size: int) -> AsyncIterator[None]:
        """A place for work of this size (any unit), freed at the end; equals in order of arrival."""
        turn = anyio.Event()
        self._count += 1
        entry = (-size, self._count, turn)
        heapq.heappush(self._waiting, entry)
        self._admit()
        try:
            await turn.wait()
            yield
        finally:
            if turn.is_set():
                self._free += 1
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            self._admit()

    def _admit(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            heapq.heappop(self._waiting)[2].set()
