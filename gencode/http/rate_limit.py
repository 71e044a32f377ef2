"""How often a principal may submit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gencode.domain.errors import RateLimited

CLOCK_SLACK = 1.0
"""Seconds by which the wall clock may be corrected before the counts are cleared."""


class OverLimit(RateLimited):
    """`headers`: the principal's present limit."""

    def __init__(self, message: str, retry_after: float, headers: Mapping[str, str]) -> None:
        super().__init__(message, retry_after=retry_after)
        self.headers = headers


class RateLimiter:
    """A moving window for each principal, in memory: a restart clears it, and so does a change of the clock.

    The library measures by the wall clock: set back by an hour, it would refuse for an hour. `wall` and
    `steady` are time.time and time.monotonic. `own_rate` returns a principal's own rate, such as
    10/minute, or "" for `rate`.
    """

    def __init__(
        self,
        rate: RateLimitItem,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        own_rate: Callable[[str], str] = lambda principal: "",
    ) -> None:
        self._rate = rate
        self._wall = wall
        self._steady = steady
        self._own_rate = own_rate
        self._offset = wall() - steady()
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def spend(self, principal: str, what: str = "submission") -> dict[str, str]:
        """Count one request; returns the RateLimit headers. `what`: each has a limit of its own. Raises
        OverLimit."""
        self._forget_after_clock_change()
        own = self._own_rate(principal)
        rate = parse(own) if own else self._rate
        allowed = await self._window.hit(rate, what, principal)
        stats = await self._window.get_window_stats(rate, what, principal)
        wait = max(math.ceil(stats.reset_time - self._wall()), 1)
        headers = {
            "RateLimit-Limit": str(rate.amount),
            "RateLimit-Remaining": str(max(stats.remaining, 0)),
            "RateLimit-Reset": str(wait),
        }
        if not allowed:
            raise OverLimit(f"more than {rate}; try again in {wait} s", wait, headers)
        return headers

    def _forget_after_clock_change(self) -> None:
        offset = self._wall() - self._steady()
        if abs(offset - self._offset) > CLOCK_SLACK:
            self._window = MovingWindowRateLimiter(MemoryStorage())
            self._offset = offset
