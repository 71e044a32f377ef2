"""The paused tasks: those of one process, in memory, and those of all processes that share a store."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

import anyio
import structlog

from gencode.domain.errors import QueueFull, StoreError
from gencode.domain.phrase import Phrase
from gencode.domain.task import State, now
from gencode.engine.ports.paused_tasks import ExpiredPause
from gencode.engine.ports.store import Store, TaskQuery

log = structlog.get_logger(__name__)

PAUSED = frozenset({State.PAUSED})
STORE_LOOK_SECONDS = 5.0
"""Seconds between two queries of the store for tasks whose deadline has passed."""

CLOCK_CHECK_SECONDS = 30.0
"""Seconds between two reads of the wall clock, which may be set; an expiry is late by no more than that."""


class _Paused(NamedTuple):
    principal: str
    until: datetime


class PausedTasksInMemory:
    """See gencode.engine.ports.paused_tasks.PausedTasks. The sweeper registers those of the store
    at the start. A paused task takes a few hundred bytes.

    limit   most paused tasks of one principal at which it may submit another that can pause
    clock   the current time in UTC
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
        _check(self._by_principal[principal], self._limit)

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


class PausedTasksInStore:
    """See gencode.engine.ports.paused_tasks.PausedTasks. The store knows which tasks are paused.

    Several submissions at once may exceed the limit by their number.
    """

    def __init__(
        self,
        store: Store,
        limit: int,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._store = store
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._count = 0
        self._found: deque[ExpiredPause] = deque()
        self._before: str | None = None
        """The last task that the current query has read."""

    def __len__(self) -> int:
        """The number of paused tasks at the last query for expired ones."""
        return self._count

    def __contains__(self, task_id: object) -> bool:
        return False

    async def check_limit(self, principal: str) -> None:
        _check(await self._store.count(TaskQuery(principal=principal, states=PAUSED)), self._limit)

    def put(self, task_id: str, principal: str, until: datetime) -> None: ...

    def until(self, task_id: str) -> datetime | None:
        return None

    def remove(self, task_id: str, until: datetime | None = None) -> bool:
        return True

    async def expired(self) -> ExpiredPause:
        """Each query returns every expired task once, so that tasks that cannot be failed do not delay
        others."""
        while not self._found:
            try:
                has_ended = not await self._read_page()
            except StoreError as error:
                log.warning("paused tasks cannot be read", reason=error.message)
                has_ended = True
            if has_ended:
                self._before = None
                await self._sleep(STORE_LOOK_SECONDS)
        return self._found.popleft()

    async def _read_page(self) -> bool:
        """Read a page of expired pauses; returns whether there was one."""
        self._count = await self._store.count(TaskQuery(states=PAUSED))
        query = TaskQuery(states=PAUSED, expired=self._clock(), before=self._before)
        for task in await self._store.find(query):
            self._before = task.id
            if task.paused_until:
                self._found.append(ExpiredPause(task.id, task.paused_until))
        return bool(self._found)


def _check(paused: int, limit: int) -> None:
    if paused >= limit:
        raise QueueFull(
            Phrase(
                "{limit} of your tasks wait for approval already; approve or cancel some of them", limit=limit
            ),
            retry_after=60,
        )
