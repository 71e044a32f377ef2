"""A limit of how many requests do the same costly thing at once, fair to principals."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from gencode.domain.errors import RateLimited
from gencode.engine.keyed_locks import KeyedLocks

MAX_WAITING = 32
"""Requests of one principal that wait or are admitted; each holds a connection and some memory."""


class FairLimiter:
    """Admits `total` holders at once, and one of each key: a waiting key does not delay other keys.

    Without it, six downloads of a 30 MiB archive raised another client's file list from 6 ms to 5.6 s.
    """

    def __init__(self, total: int, max_waiting: int = MAX_WAITING) -> None:
        self._total = anyio.CapacityLimiter(total)
        self._max_waiting = max_waiting
        self._present: Counter[str] = Counter()
        self._locks = KeyedLocks()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Holders with the same key, and of all keys, are admitted in the order of their calls.

        Raises RateLimited when too many of the key wait already.
        """
        if self._present[key] >= self._max_waiting:
            raise RateLimited(
                f"{self._max_waiting} of your requests of this kind wait already; try again later",
                retry_after=1,
            )
        self._present[key] += 1
        try:
            async with self._locks(key), self._total:
                yield
        finally:
            self._present[key] -= 1
            if not self._present[key]:
                del self._present[key]
