"""How often a client may submit."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gencode.errors import RateLimited


class RateLimit:
    """A moving window per client, in memory: a restart forgives."""

    def __init__(self, rate: RateLimitItem) -> None:
        self._rate = rate
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def spend(self, client: str) -> dict[str, str]:
        """Count one submission; returns the RateLimit headers. Raises RateLimited."""
        allowed = await self._window.hit(self._rate, client)
        stats = await self._window.get_window_stats(self._rate, client)
        wait = max(math.ceil(stats.reset_time - time.time()), 1)
        if not allowed:
            raise RateLimited(f"more than {self._rate}; try again in {wait} s", retry_after=wait)
        return {
            "RateLimit-Limit": str(self._rate.amount),
            "RateLimit-Remaining": str(stats.remaining),
            "RateLimit-Reset": str(wait),
        }
