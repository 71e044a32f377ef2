"""The port to the limits of calls to one account: how many at once, how far apart, and the pauses between
them; with the implementation for one process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import anyio

from gencode.resilience.retry import Sleep


class CallSlots(Protocol):
    """Limits the calls of all who share an account. What is shared through a database raises StoreError."""

    @property
    def pause(self) -> float:
        """Seconds until calls are made again, as far as this process knows."""
        ...

    def hold(self) -> AbstractAsyncContextManager[None]:
        """A slot for one call, once one is free and the pause is over."""
        ...

    async def rate_limited(self, told: float | None, growing: Sequence[float], longest: float) -> float:
        """Pause all calls that have not begun. Returns the seconds to wait.

        told      the seconds that the other server requested; None: those of `growing`
        growing   by how many pauses in a row there were; the last one for all further
        longest   a longer wait is no pause
        """
        ...

    async def answered(self) -> None:
        """A call was accepted: the next pause is the first in a row."""
        ...


class SlotFactory(Protocol):
    """Makes the slots of an account.

    name      of the account; without a secret
    count     calls at once
    spacing   seconds from the end of one call to the next in its slot
    """

    def __call__(self, name: str, count: int, spacing: float = 0.0) -> CallSlots: ...


class LocalSlots:
    """See CallSlots. `count`, `spacing`: see SlotFactory; `clock`, `sleep`: replaced by tests."""

    def __init__(
        self,
        count: int,
        spacing: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._slots = anyio.Semaphore(count)
        self._spacing = spacing
        self._clock = clock
        self._sleep = sleep
        self._next_call = 0.0
        self._paused_until = 0.0
        self._pauses = 0

    @property
    def pause(self) -> float:
        return max(0.0, self._paused_until - self._clock())

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        async with self._slots:
            while (left := self.pause) > 0:
                await self._sleep(left)
            if (left := self._next_call - self._clock()) > 0:
                await self._sleep(left)
            try:
                yield
            finally:
                self._next_call = self._clock() + self._spacing

    async def rate_limited(self, told: float | None, growing: Sequence[float], longest: float) -> float:
        paused = self.pause
        if not paused:
            self._pauses += 1
        wait = told or paused or growing[min(self._pauses, len(growing)) - 1]
        if wait <= longest:
            self._paused_until = max(self._paused_until, self._clock() + wait)
        return wait

    async def answered(self) -> None:
        self._pauses = 0


def account_name(kind: str, url: str, key: str) -> str:
    """The name of an account for a SlotFactory, which does not reveal the key."""
    digest = hashlib.sha256(f"{url}\0{key}".encode()).hexdigest()
    return f"{kind} {digest[:16]}"


def local_slots(name: str, count: int, spacing: float = 0.0) -> LocalSlots:
    """A SlotFactory."""
    return LocalSlots(count, spacing)
