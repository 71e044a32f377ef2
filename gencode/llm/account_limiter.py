"""The calls to one account at a provider: how many at once, and the pauses that its rate limit demands."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import anyio

from gencode.llm.deadlines import CallsInFlight
from gencode.resilience.call_slots import CallSlots, LocalSlots
from gencode.resilience.retry import Sleep

DEFAULT_CONCURRENCY = 16
WAITS = (20.0, 40.0, 60.0)
"""Seconds to wait where the provider does not say how long, by how often the limit was met in a row. Most
limits are per minute: three attempts wait for a minute or more."""
MAX_PAUSE = 120.0
"""Seconds that calls wait at most."""


class Account:
    """Shared by the models of one account and by all tasks: a rate limit that one call meets holds back all.

    concurrency   calls at once; more wait
    clock, sleep  replaced by tests
    in_flight     the calls that were sent
    slots         limits the calls in place of these three, over several processes
    """

    def __init__(
        self,
        concurrency: int = DEFAULT_CONCURRENCY,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = anyio.sleep,
        slots: CallSlots | None = None,
    ) -> None:
        self._slots = slots or LocalSlots(concurrency, clock=clock, sleep=sleep)
        self.in_flight = CallsInFlight()

    @property
    def pause(self) -> float:
        """Seconds until calls are made again."""
        return self._slots.pause

    def call(self) -> AbstractAsyncContextManager[None]:
        """A place for one call, after the pause."""
        return self._slots.hold()

    async def rate_limited(self, told: float | None) -> float:
        """Pause all calls. Returns the seconds to wait: the provider's, or a growing time.

        A wait of more than MAX_PAUSE is no pause: calls that come later fail by themselves, and cost nothing.
        """
        return await self._slots.rate_limited(told, _growing(), MAX_PAUSE)

    async def answered(self) -> None:
        """A call was accepted: the next limit is a new one."""
        await self._slots.answered()


def until(seconds: float) -> str:
    """ "until" and a time of day, for messages."""
    return f"until {datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC"


def _growing() -> list[float]:
    """WAITS, longer by a random part."""
    return [wait * random.uniform(1.0, 1.25) for wait in WAITS]  # noqa: S311
