"""Accepts tasks, runs a bounded number of them at once, cancels them, and stops in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
import structlog
from anyio.abc import TaskStatus

from gencode.callback import Callback
from gencode.engine.holds import Holds
from gencode.engine.journal import Journal
from gencode.engine.line import Line
from gencode.engine.recovery import unfinished
from gencode.engine.runner import Runner
from gencode.engine.workers import Workers
from gencode.errors import AlreadyOver, NotFound, NotHeld, ShuttingDown, StillWorking, StoreError
from gencode.hub import Hub
from gencode.metrics import Metrics
from gencode.pipeline import Change
from gencode.retry import Sleep
from gencode.store import IdempotencyKey, Query, Store
from gencode.task import Status, Task

log = structlog.get_logger(__name__)


class Manager:
    """One per process. `run` is its life; everything else may be called while it runs.

    concurrency   tasks that run at once
    waiting       most tasks in line; beyond that `submit` raises QueueFull
    store_pause   seconds between tries to write the log of a task while the store refuses
    """

    def __init__(
        self,
        runner: Runner,
        store: Store,
        hub: Hub,
        metrics: Metrics,
        concurrency: int,
        waiting: int,
        store_pause: float = 5.0,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._runner = runner
        self._store = store
        self._hub = hub
        self._concurrency = concurrency
        self._line = Line(waiting)
        self._holds = Holds()
        self._workers = Workers(self._line, self._holds, runner, store, hub, metrics, store_pause, sleep)
        self._steering = anyio.Lock()
        """Of who starts or ends, for a client, what nobody works on: one at a time."""
        self._store_pause = store_pause
        self._sleep = sleep
        self._accepting = False

    @property
    def accepting(self) -> bool:
        return self._accepting

    @property
    def waiting(self) -> int:
        return len(self._line)

    @property
    def held(self) -> int:
        """Tasks that wait for a person's word."""
        return len(self._holds)

    @property
    def running(self) -> int:
        return len(self._workers)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Resume what an earlier process left, then work until cancelled."""
        for task in await unfinished(self._store):
            if task.held_until:
                self._holds.put(task.id, task.held_until)
            else:
                self._line.put(task)
        try:
            async with anyio.create_task_group() as tg:
                for _ in range(self._concurrency):
                    tg.start_soon(self._workers.work)
                tg.start_soon(self._expire)
                self._accepting = True
                task_status.started()
        finally:
            self._accepting = False

    def stop_accepting(self) -> None:
        self._accepting = False

    def _check_accepting(self) -> None:
        if not self._accepting:
            raise ShuttingDown("the service is stopping; try again in a moment", retry_after=5)

    async def submit(
        self, task: Task, key: IdempotencyKey | None = None, callback: Callback | None = None
    ) -> Task:
        """Store a task, and whom to tell of it, and put it in line; what returned is durable.

        Raises QueueFull, ShuttingDown, KeyReused, StoreError; nothing is stored then.
        """
        self._check_accepting()
        with self._line.reserve():
            stored = await Journal(task, self._store, self._hub).create(key, callback)
        if stored.id == task.id:
            log.info("task created", task_id=task.id, client=task.client, kind=task.kind)
            self._line.put(stored)
        return stored

    async def retry(self, task: Task, changes: Mapping[str, Any] | None = None) -> Task:
        """Put a failed task in line again, to go on from the stage in which it failed; what returned is
        durable. `task` is what the client saw: one that was retried since (a double click) is returned as it
        is now, and nothing more happens. `changes`: fields of its request that are others from now on.

        Raises AlreadyOver, StillWorking, QueueFull, ShuttingDown, StoreError; the task stays failed then.
        """
        _check_failed(task)
        async with self._steering:
            self._check_accepting()
            (stored,) = await self._store.find(Query(id=task.id, limit=1))
            if stored.sequence != task.sequence:
                return stored
            if run := self._workers.on(task.id):
                await run.over.wait()  # it has failed, but its worker has not left it yet
            return await self._put_again(Journal(stored, self._store, self._hub), changes)

    async def _put_again(self, journal: Journal, changes: Mapping[str, Any] | None) -> Task:
        with self._line.reserve():
            await self._surely(journal, self._runner.retry(journal, changes))
        log.info("task retried", task_id=journal.task.id, status=journal.task.status)
        self._line.put(journal.task)
        return journal.task

    async def _surely(self, journal: Journal, write: Awaitable[None]) -> None:
        """Write what sets a task going again. Raises StoreError when it did not happen.

        A write that failed may have happened, so the store is asked until it answers: a task that goes on in
        the store, and is not in line, would wait for the next start of the service. One that stops need not
        know.
        """
        before = journal.task.sequence
        try:
            await write
        except StoreError:
            while not await _settled(journal):
                self._check_accepting()
                await self._sleep(self._store_pause)
            if journal.task.sequence == before:
                raise
            journal.forgive()

    async def amend(self, task: Task, change: Change) -> Task:
        """Change what a held task has kept; it waits on. What returned is durable.

        Raises NotHeld, AlreadyOver, StoreError, and what `change` raises.
        """
        async with self._steering:
            journal = Journal(await self._held(task), self._store, self._hub)
            _check_held(journal.task)
            await journal.amend(change(await self._store.kept(task.id)))
            return journal.task

    async def approve(self, task: Task, change: Change) -> Task:
        """Put a held task in line again, with what `change` keeps of the word; what returned is durable.
        `task` is what the client saw: one that was approved since (a double click) is returned as it is now.

        Raises NotHeld, AlreadyOver, QueueFull, ShuttingDown, StoreError, and what `change` raises; the task
        is held still then.
        """
        _check_held(task)
        async with self._steering:
            self._check_accepting()
            stored = await self._held(task)
            if not stored.held_until and not stored.status.is_terminal:
                return stored
            _check_held(stored)
            journal = Journal(stored, self._store, self._hub)
            with self._line.reserve():
                word = change(await self._store.kept(task.id))
                await self._surely(journal, self._runner.approve(journal, word))
            self._holds.remove(task.id)
            log.info("task approved", task_id=task.id)
            self._line.put(journal.task)
            return journal.task

    async def _held(self, task: Task) -> Task:
        """The task as it is now; if it is held, its worker has left it."""
        (stored,) = await self._store.find(Query(id=task.id, limit=1))
        if stored.held_until and (run := self._workers.on(task.id)):
            await run.over.wait()
            (stored,) = await self._store.find(Query(id=task.id, limit=1))
        return stored

    async def cancel(self, task: Task) -> Task:
        """End a task of this process; returns it when nothing of it runs any more.

        Cancelling twice is no error. While the store refuses, a running task keeps its caller waiting; one
        in line raises StoreError and stays there. Raises AlreadyOver for a task that ended in another way.
        """
        async with self._steering:  # what is being retried or approved is in line when this is over
            waiting = self._line.remove(task.id)
            held = await self._take_held(task.id)
        if waiting:
            await self._cancel_idle(waiting, partial(self._line.put_back, waiting))
        elif held and held.held_until:
            await self._cancel_idle(held, partial(self._holds.put, held.id, held.held_until))
        elif run := self._workers.on(task.id):
            run.cancelled = True
            run.scope.cancel()
            await run.over.wait()
        return await self._cancelled(task.id)

    async def _take_held(self, task_id: str) -> Task | None:
        """The task as it is now, if it is held; it is no more among those that wait."""
        if task_id not in self._holds:
            return None
        (task,) = await self._store.find(Query(id=task_id, limit=1))
        self._holds.remove(task_id)
        return task

    async def _cancel_idle(self, task: Task, put_back: Callable[[], None]) -> None:
        """One that nobody works on."""
        with self._workers.at_work(task) as run:
            run.cancelled = True
            try:
                with anyio.CancelScope(shield=True):
                    await self._workers.end(run)
            except BaseException:
                put_back()
                raise

    async def _cancelled(self, task_id: str) -> Task:
        for task in await self._store.find(Query(id=task_id, limit=1)):
            if task.status is Status.CANCELLED:
                return task
            if task.status.is_terminal:
                raise AlreadyOver(f"the task is {task.status} already; nothing is left to cancel")
            raise ShuttingDown("the task was not cancelled: the service is stopping; try again in a moment")
        raise NotFound("there is no such task")

    async def _expire(self) -> None:
        """End held tasks for which nobody had a word in time."""
        while True:
            task_id = await self._holds.expired()
            try:
                async with self._steering:
                    task = await self._take_held(task_id)
            except StoreError:
                await self._sleep(self._store_pause)
            else:
                if task:
                    await self._workers.expire(task)


async def _settled(journal: Journal) -> bool:
    try:
        await journal.settle()
    except StoreError:
        return False
    return True


def _check_held(task: Task) -> None:
    if task.status.is_terminal:
        raise AlreadyOver(f"the task is {task.status}; nothing of it waits for approval")
    if not task.held_until:
        raise NotHeld(f"the task is {task.status}; nothing of it waits for approval, or not yet")


def _check_failed(task: Task) -> None:
    if not task.status.is_terminal:
        raise StillWorking(f"the task is {task.status}: it has not failed, so there is nothing to try again")
    if task.status is not Status.FAILED:
        raise AlreadyOver(f"the task is {task.status}; only a failed one can be tried again")
