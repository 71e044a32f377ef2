"""Recovers orphans: unfinished tasks in the store that are not queued, paused or run here.

At the start these are the unfinished tasks of an earlier process. Later they are tasks whose submission was
stored although its caller was cancelled or the disk did not confirm, and tasks whose worker gave up because
of a bug or a Conflict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import anyio
import structlog

from gencode.domain.errors import StoreError
from gencode.domain.task import UNFINISHED, Task
from gencode.engine.asyncio_cancellation import is_being_cancelled
from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.ports.fair_queue import Queue
from gencode.engine.ports.paused_tasks import PausedTasks
from gencode.engine.ports.pipeline import Pipelines, can_run
from gencode.engine.ports.store import Store, TaskQuery

log = structlog.get_logger(__name__)

INTERVAL = 60.0
"""Seconds between two sweeps when none is requested."""
FIRST_PAUSE = 1.0
"""Seconds to the next sweep after one that was requested or failed; doubled until it is INTERVAL. The write
in question may reach the store after the sweep."""
PAGE = 500


class OrphanRecovery(Protocol):
    """Finds unfinished tasks that no process handles, and queues or pauses them again."""

    async def recover(self) -> None:
        """Queue unfinished tasks again, before anything else runs. Raises StoreError."""
        ...

    async def run(self) -> None:
        """Look for such tasks until cancelled."""
        ...

    def request(self) -> None:
        """Request a sweep: a write may have been stored whose outcome its caller does not know."""
        ...


class Sweeper:
    """The OrphanRecovery of one process: each orphan is queued or registered as paused once.

    is_owned   whether a submission or a worker in this process is handling the task
    """

    def __init__(
        self,
        store: Store,
        queue: Queue,
        paused: PausedTasks,
        pipelines: Pipelines,
        locks: KeyedLocks,
        is_owned: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._queue = queue
        self._paused = paused
        self._pipelines = pipelines
        self._locks = locks
        self._is_owned = is_owned
        self._wanted = anyio.Event()

    def request(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        pause = INTERVAL
        while True:
            requested = await self._wait(pause)
            pause = FIRST_PAUSE if requested else min(2 * pause, INTERVAL)
            if not await self._has_swept():
                pause = min(pause, FIRST_PAUSE)

    async def _has_swept(self) -> bool:
        try:
            await self.sweep()
        except StoreError as error:
            log.warning("the sweep waits for the store", reason=error.message)
            return False
        except (Exception, asyncio.CancelledError):
            if is_being_cancelled():
                raise
            log.exception("a bug ended this sweep")
        return True

    async def _wait(self, seconds: float) -> bool:
        """Whether a sweep was requested meanwhile."""
        with anyio.move_on_after(seconds):
            await self._wanted.wait()
        requested, self._wanted = self._wanted.is_set(), anyio.Event()
        return requested

    async def recover(self) -> None:
        """All unfinished tasks, in the order of acceptance."""
        for task in await self._unowned():
            self._take_up(task)

    async def sweep(self) -> int:
        """Recover all orphans; returns their number."""
        found = 0
        for candidate in await self._unowned():
            async with self._locks(candidate.id):
                found += await self._sweep(candidate.id)
        if found:
            log.warning("orphaned tasks were recovered", tasks=found)
        return found

    async def _sweep(self, task_id: str) -> bool:
        """Whether it was recovered. The caller holds the task's lock, and only queued tasks are started: so a
        task that is neither queued nor owned does not change while it is read."""
        if self._is_busy(task_id):
            return False
        for task in await self._store.find(TaskQuery(id=task_id, states=UNFINISHED, limit=1)):
            if not self._has(task):
                self._take_up(task)
                return True
        return False

    def _take_up(self, task: Task) -> None:
        if task.paused_until:
            self._paused.put(task.id, task.principal.id, task.paused_until)
        else:
            self._paused.remove(task.id)  # it was approved by a caller that was cancelled
            self._queue.put(task.id, task.principal.id)

    def _has(self, task: Task) -> bool:
        is_paused = task.paused_until is not None and task.id in self._paused
        return is_paused or self._is_busy(task.id)

    def _is_busy(self, task_id: str) -> bool:
        return task_id in self._queue or self._is_owned(task_id)

    async def _unowned(self) -> list[Task]:
        """Oldest first. Tasks of an unknown kind, state or stage are skipped."""
        tasks: list[Task] = []
        before: str | None = None
        while page := await self._store.find(TaskQuery(states=UNFINISHED, before=before, limit=PAGE)):
            tasks.extend(task for task in page if can_run(self._pipelines, task) and not self._has(task))
            before = page[-1].id
        return tasks[::-1]
