"""The calls to one account at a provider: how many at once, and the pauses that its rate limit demands."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio

from gencode.llm.deadlines import CallsInFlight
from gencode.resilience.retry import Sleep

DEFAULT_CONCURRENCY = 16
MIN_WAIT, MAX_WAIT = 20.0, 60.0
"""Seconds to wait where the provider does not say how long; doubled while the limit persists. Most limits are
per minute: three attempts wait for a minute or more."""
MAX_PAUSE = 120.0
"""Seconds that calls wait at most."""


class Account:
    """Shared by the models of one account and by all tasks: a rate limit that one call meets holds back all.

    concurrency   calls at once; more wait
    clock, sleep  replaced by tests
    in_flight     the calls that were sent
    """

    def __init__(
        self,
        concurrency: int = DEFAULT_CONCURRENCY,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._slots = anyio.Semaphore(concurrency)
        self._clock = clock
        self._sleep = sleep
        self._paused_until = 0.0
        self._limited = 0
        self.in_flight = CallsInFlight()

    @property
    def pause(self) -> float:
        """Seconds until calls are made again."""
        return max(0.0, self._paused_until - self._clock())

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """A place for one call, after the pause."""
        async with self._slots:
            while (left := self.pause) > 0:
                await self._sleep(left)
            yield

    def rate_limited(self, told: float | None) -> float:
        """Pause all calls. Returns the seconds to wait: those that the provider told, or a growing time.

        A wait of more than MAX_PAUSE is no pause: calls that come later fail by themselves, and cost nothing.
        """
        paused = self.pause
        if not paused:
            self._limited += 1
        wait = told or paused or _growing(self._limited)
        if wait <= MAX_PAUSE:
            self._paused_until = max(self._paused_until, self._clock() + wait)
        return wait

    def answered(self) -> None:
        """A call was accepted: the next limit is a new one."""
        self._limited = 0


def until(seconds: float) -> str:
    """ "until" and a time of day, for messages."""
    return f"until {datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC"


def _growing(limited: int) -> float:
    return min(MAX_WAIT, MIN_WAIT * 2.0 ** (limited - 1)) * random.uniform(1.0, 1.25)  # noqa: S311
