"""Checks whether the store accepts writes, for the readiness probe."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio

from gencode.domain.errors import StoreError

PROBE_SECONDS = 5.0
"""Seconds between two writes, however often the probe is called: each write costs an fsync."""


class WriteProbe:
    """Remembers the last result for PROBE_SECONDS.

    check_writable   raises StoreError
    clock            seconds
    """

    def __init__(
        self, check_writable: Callable[[], Awaitable[None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check_writable = check_writable
        self._clock = clock
        self._lock = anyio.Lock()
        self._valid_until = float("-inf")
        self._reason = ""

    async def reason(self) -> str:
        """Why the store rejects writes; "" if it accepts them."""
        async with self._lock:
            if self._clock() >= self._valid_until:
                self._reason = await self._ask()
                self._valid_until = self._clock() + PROBE_SECONDS
            return self._reason

    async def _ask(self) -> str:
        try:
            await self._check_writable()
        except StoreError as error:
            return error.message
        return ""
