"""A pool of limited children, started when needed and ended when idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import anyio

from gencode.limited_child.process import LimitedChild

MAX_CHILDREN = 2
LARGE = 2**20
"""Characters; larger requests take seconds and are served one at a time, which leaves a child for others."""
IDLE_SECONDS = 300.0


class ChildPool:
    """Must be stopped by its owner. Waiting for a child has no deadline, because each request has its own
    limits.

    program  the name of the module that the children run
    reused   whether a child serves more than one request; if not, what a text made of a child cannot reach
             the next one, and the limits are for one text
    """

    def __init__(self, program: str, *, reused: bool = True) -> None:
        self._program = program
        self._reused = reused
        self._places = anyio.Semaphore(MAX_CHILDREN)
        self._large = anyio.Semaphore(1)
        self._idle: list[LimitedChild] = []
        self._ended: list[LimitedChild] = []
        self._ending: asyncio.TimerHandle | None = None

    async def stop(self) -> None:
        self._end_idle()
        await self._close_ended()

    @asynccontextmanager
    async def lend(self, size: int) -> AsyncIterator[LimitedChild]:
        """A child for a request of this size (characters). One that did not serve it to the end is stopped.

        Raises ChildFailed if none can be started.
        """
        async with self._large if size > LARGE else nullcontext(), self._places:
            child = await self._take()
            try:
                yield child
            except BaseException:
                await child.stop()
                raise
            await self._return(child)

    async def warm_up(self) -> None:
        """Start a child, if there is none, for a request that will come soon. Raises ChildFailed."""
        if not self._idle:
            async with self.lend(0):
                pass

    async def _take(self) -> LimitedChild:
        await self._close_ended()
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            await child.stop()
        return await LimitedChild.start(self._program)

    async def _return(self, child: LimitedChild) -> None:
        if not self._reused:
            await child.stop()
            return
        self._idle.append(child)
        if self._ending:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_idle)

    def _end_idle(self) -> None:
        """Called by a timer, so their pipes are closed later."""
        if self._ending:
            self._ending.cancel()
        for child in self._idle:
            child.kill()
        self._ended += self._idle
        self._idle = []

    async def _close_ended(self) -> None:
        while self._ended:
            await self._ended.pop().stop()
