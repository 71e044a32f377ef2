"""A semaphore for each client: limits its concurrent short reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class PerClientSemaphore:
    """Admits `at_once` concurrent holders of each client; further ones of the same client wait in the order
    of their calls.

    A client with a hundred connections therefore gets no larger share of the store and the event loop than a
    client with one. No request is rejected: the number of connections is limited already, and an EventSource
    never reconnects after a 429.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._semaphores: dict[str, tuple[anyio.Semaphore, int]] = {}

    @asynccontextmanager
    async def hold(self, client: str) -> AsyncIterator[None]:
        semaphore, users = self._semaphores.get(client) or (self._new_semaphore(), 0)
        self._semaphores[client] = semaphore, users + 1
        try:
            async with semaphore:
                yield
        finally:
            users = self._semaphores.pop(client)[1]
            if users > 1:
                self._semaphores[client] = semaphore, users - 1

    def _new_semaphore(self) -> anyio.Semaphore:
        """A free slot is acquired without a checkpoint of the event loop."""
        return anyio.Semaphore(self._at_once, fast_acquire=True)
