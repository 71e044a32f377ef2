"""The paused tasks of one process, in memory: the sweeper puts those of the store here at the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import anyio

from gencode.domain.errors import QueueFull
from gencode.domain.task import now
from gencode.engine.ports.paused_tasks import ExpiredPause

CLOCK_CHECK_SECONDS = 30.0
"""Between two looks at the wall clock, which may be set; an expiry is late by no more than that."""


class _Paused(NamedTuple):
    principal: str
    until: datetime


class PausedTasksInMemory:
    """See gencode.engine.ports.paused_tasks.PausedTasks. A paused task costs a few hundred bytes here.

    limit   most paused tasks of one principal at which it may submit another that can pause
    clock   the present moment in UTC
    """

    def __init__(self, limit: int = 1000, clock: Callable[[], datetime] = now) -> None:
        self._limit = limit
        self._clock = clock
        self._tasks: dict[str, _Paused] = {}
        self._by_principal: Counter[str] = Counter()
        self._changed = anyio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._tasks

    async def check_limit(self, principal: str) -> None:
        if self._by_principal[principal] >= self._limit:
            raise QueueFull(
                f"{self._limit} of your tasks wait for approval already; approve or cancel some of them",
                retry_after=60,
            )

    def put(self, task_id: str, principal: str, until: datetime) -> None:
        self.remove(task_id)
        self._tasks[task_id] = _Paused(principal, until)
        self._by_principal[principal] += 1
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def until(self, task_id: str) -> datetime | None:
        paused = self._tasks.get(task_id)
        return paused.until if paused else None

    def remove(self, task_id: str, until: datetime | None = None) -> bool:
        paused = self._tasks.get(task_id)
        if paused is None or until not in (None, paused.until):
            return False
        del self._tasks[task_id]
        self._by_principal[paused.principal] -= 1
        if not self._by_principal[paused.principal]:
            del self._by_principal[paused.principal]
        return True

    async def expired(self) -> ExpiredPause:
        while True:
            soonest = min(self._tasks, key=lambda task_id: self._tasks[task_id].until, default=None)
            wait = CLOCK_CHECK_SECONDS
            if soonest:
                until = self._tasks[soonest].until
                wait = (until - self._clock()).total_seconds()
                if wait <= 0:
                    return ExpiredPause(soonest, until)
            with anyio.move_on_after(min(wait, CLOCK_CHECK_SECONDS)):
                await self._changed.wait()
