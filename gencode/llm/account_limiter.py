"""Limits the calls to one account at a provider: the number of concurrent calls, and the pauses that the
provider's rate limit demands."""

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
"""Seconds to wait if the provider does not name a time, by the number of rate limit errors in a row. Most
limits are per minute: the waits of three attempts add up to a minute or more."""
MAX_PAUSE = 120.0
"""The longest pause, in seconds."""


class Account:
    """Shared by the models of one account and by all tasks: after a rate limit error of one call, all calls
    pause.

    concurrency   the most concurrent calls; further ones wait
    clock, sleep  replaced by tests
    in_flight     the calls that were sent
    slots         replaces `concurrency`, `clock` and `sleep` with a limiter shared by several processes
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
        """Seconds until the pause ends; 0 without one."""
        return self._slots.pause

    def call(self) -> AbstractAsyncContextManager[None]:
        """Holds a slot for one call within the context; waits for the end of a pause first."""
        return self._slots.hold()

    async def rate_limited(self, requested: float | None) -> float:
        """Pauses all calls. Returns the seconds to wait: `requested` by the provider, or a time that grows
        with each error.

        A wait longer than MAX_PAUSE does not pause the account: later calls are sent, and the provider
        rejects them at no cost.
        """
        return await self._slots.rate_limited(requested, _growing(), MAX_PAUSE)

    async def answered(self) -> None:
        """A call was accepted: the count of rate limit errors in a row starts again."""
        await self._slots.answered()


def until(seconds: float) -> str:
    """ "until" and a time of day, for messages."""
    return f"until {datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC"


def _growing() -> list[float]:
    """WAITS, each lengthened by a random part."""
    return [wait * random.uniform(1.0, 1.25) for wait in WAITS]  # noqa: S311
