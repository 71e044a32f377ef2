"""A limit of how many short, frequent reads of one client are under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class ClientLimiter:
    """Admits `at_once` holders of each client; more of the same client wait in the order of their calls.

    A client with a hundred connections so has no hundred turns of the store and of the event loop where
    another has one. Nobody is refused: who waits has a connection, and these are limited. An EventSource that
    gets 429 would never reconnect.
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
        """A free place is taken without a turn of the loop."""
        return anyio.Semaphore(self._at_once, fast_acquire=True)
