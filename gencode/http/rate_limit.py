"""The rate limit of submissions, by principal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

import anyio
import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage

from gencode.domain.errors import RateLimited, StoreError
from gencode.domain.phrase import Phrase
from gencode.engine.ports.rate_window import RateWindow, Spent

log = structlog.get_logger(__name__)

CLOCK_SLACK = 1.0
"""Seconds by which the wall clock may be corrected before the counts are cleared."""
SHARED_SECONDS = 2.0
"""The timeout for counting a submission in the database; after it, the process counts on its own."""


class OverLimit(RateLimited):
    """`headers`: the principal's current limit."""

    def __init__(self, message: str, retry_after: float, headers: Mapping[str, str]) -> None:
        super().__init__(message, retry_after=retry_after)
        self.headers = headers


class LocalWindow:
    """See RateWindow. In memory: a restart clears it, and so does a change of the clock.

    The library measures by the wall clock: set back by an hour, it would refuse for an hour. `wall` and
    `steady` are time.time and time.monotonic.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._storage = MemoryStorage()

    async def spend(self, name: str, amount: int, seconds: int) -> Spent:
        self._forget_after_clock_change()
        allowed = await self._storage.acquire_entry(name, amount, seconds)
        start, count = await self._storage.get_moving_window(name, amount, seconds)
        return Spent(allowed=allowed, remaining=max(amount - count, 0), reset=start + seconds - self._wall())

    def _forget_after_clock_change(self) -> None:
        offset = self._wall() - self._steady()
        if abs(offset - self._offset) > CLOCK_SLACK:
            self._storage = MemoryStorage()
            self._offset = offset


class RateLimiter:
    """A moving window for each principal.

    own_rate   returns a principal's own rate, such as 10/minute, or "" for `rate`
    shared     counts the submissions of all processes; None: `local` does
    """

    def __init__(
        self,
        rate: RateLimitItem,
        own_rate: Callable[[str], str] = lambda principal: "",
        local: RateWindow | None = None,
        shared: RateWindow | None = None,
    ) -> None:
        self._rate = rate
        self._own_rate = own_rate
        self._local = local or LocalWindow()
        self._shared = shared

    async def spend(self, principal: str, what: str = "submission") -> dict[str, str]:
        """Counts one request; returns the RateLimit headers. Each value of `what` has a limit of its own.
        Raises OverLimit."""
        own = self._own_rate(principal)
        rate = parse(own) if own else self._rate
        spent = await self._spend(rate.key_for(what, principal), rate.amount, rate.get_expiry())
        wait = max(math.ceil(spent.reset), 1)
        headers = {
            "RateLimit-Limit": str(rate.amount),
            "RateLimit-Remaining": str(spent.remaining),
            "RateLimit-Reset": str(wait),
        }
        if not spent.allowed:
            raise OverLimit(
                Phrase("more than {rate}; try again in {wait} s", rate=rate, wait=wait), wait, headers
            )
        return headers

    async def _spend(self, name: str, amount: int, seconds: int) -> Spent:
        """If the database is unreachable, requests pass: those that need it fail later."""
        if self._shared:
            try:
                with anyio.fail_after(SHARED_SECONDS):
                    return await self._shared.spend(name, amount, seconds)
            except (StoreError, TimeoutError) as error:
                log.warning("submissions are counted by this process alone", reason=str(error))
        return await self._local.spend(name, amount, seconds)
