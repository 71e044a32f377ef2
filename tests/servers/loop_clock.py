"""The clock of the running event loop, moved ahead by a test: timers fire, and the test waits for nothing."""

from __future__ import annotations

import asyncio

import anyio.lowlevel


class LoopClock:
    """Of the loop that is running when it is made, to its end: a test's own, or that of a module."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        real, self._ahead = loop.time, 0.0
        loop.time = lambda: real() + self._ahead  # type: ignore[method-assign]

    async def advance(self, seconds: float) -> None:
        """Move it ahead; returns when all timers that are due have fired."""
        self._ahead += seconds
        for _ in range(2):  # the loop collects due timers at the start of a turn, and runs them in it
            await anyio.lowlevel.checkpoint()
