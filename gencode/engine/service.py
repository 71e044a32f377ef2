"""Accepts tasks, runs a bounded number of them at once, cancels them, and stops in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
import structlog
from anyio.abc import TaskStatus

from gencode.domain.callback import Callback
from gencode.domain.errors import AlreadyFinished, NotFound, NotPaused, ShuttingDown, StillWorking, StoreError
from gencode.domain.task import Status, Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.hub import Hub
from gencode.engine.paused_tasks import PausedTasks
from gencode.engine.pipeline import Decision
from gencode.engine.recovery import unfinished
from gencode.engine.store import IdempotencyKey, Store, TaskQuery
from gencode.engine.task_log import TaskLog
from gencode.engine.worker_pool import WorkerPool
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.resilience.retry import Sleep

log = structlog.get_logger(__name__)


class TaskService:
    """One per process. `run` is its life; everything else may be called while it runs.

    concurrency   tasks that run at once
    waiting       most tasks in line; beyond that `submit` raises QueueFull
    store_pause   seconds between tries to write the log of a task while the store refuses
    """

    def __init__(
        self,
        runner: TaskExecutor,
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
        self._queue = FairQueue(waiting)
        self._holds = PausedTasks()
        self._workers = WorkerPool(self._queue, self._holds, runner, store, hub, metrics, store_pause, sleep)
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
        return len(self._queue)

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
            if task.paused_until:
                self._holds.put(task.id, task.paused_until)
            else:
                self._queue.put(task)
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
        with self._queue.reserve():
            stored = await TaskLog(task, self._store, self._hub).create(key, callback)
        if stored.id == task.id:
            log.info("task created", task_id=task.id, client=task.client, kind=task.kind)
            self._queue.put(stored)
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
            (stored,) = await self._store.find(TaskQuery(id=task.id, limit=1))
            if stored.sequence != task.sequence:
                return stored
            if run := self._workers.on(task.id):
                await run.over.wait()  # it has failed, but its worker has not left it yet
            return await self._put_again(TaskLog(stored, self._store, self._hub), changes)

    async def _put_again(self, task_log: TaskLog, changes: Mapping[str, Any] | None) -> Task:
        with self._queue.reserve():
            await self._commit_confirmed(task_log, self._runner.retry(task_log, changes))
        log.info("task retried", task_id=task_log.task.id, status=task_log.task.status)
        self._queue.put(task_log.task)
        return task_log.task

    async def _commit_confirmed(self, task_log: TaskLog, write: Awaitable[None]) -> None:
        """Write what sets a task going again. Raises StoreError when it did not happen.

        A write that failed may have happened, so the store is asked until it answers: a task that goes on in
        the store, and is not in line, would wait for the next start of the service. One that stops need not
        know.
        """
        before = task_log.task.sequence
        try:
            await write
        except StoreError:
            while not await _settled(task_log):
                self._check_accepting()
                await self._sleep(self._store_pause)
            if task_log.task.sequence == before:
                raise
            task_log.reset_attempts()

    async def amend(self, task: Task, change: Decision) -> Task:
        """Change what a held task has kept; it waits on. What returned is durable.

        Raises NotHeld, AlreadyOver, StoreError, and what `change` raises.
        """
        async with self._steering:
            task_log = TaskLog(await self._held(task), self._store, self._hub)
            _check_held(task_log.task)
            await task_log.amend(change(await self._store.checkpoints(task.id)))
            return task_log.task

    async def approve(self, task: Task, change: Decision) -> Task:
        """Put a held task in line again, with what `change` keeps of the word; what returned is durable.
        `task` is what the client saw: one that was approved since (a double click) is returned as it is now.

        Raises NotHeld, AlreadyOver, QueueFull, ShuttingDown, StoreError, and what `change` raises; the task
        is held still then.
        """
        _check_held(task)
        async with self._steering:
            self._check_accepting()
            stored = await self._held(task)
            if not stored.paused_until and not stored.status.is_terminal:
                return stored
            _check_held(stored)
            task_log = TaskLog(stored, self._store, self._hub)
            with self._queue.reserve():
                word = change(await self._store.checkpoints(task.id))
                await self._commit_confirmed(task_log, self._runner.approve(task_log, word))
            self._holds.remove(task.id)
            log.info("task approved", task_id=task.id)
            self._queue.put(task_log.task)
            return task_log.task

    async def _held(self, task: Task) -> Task:
        """The task as it is now; if it is held, its worker has left it."""
        (stored,) = await self._store.find(TaskQuery(id=task.id, limit=1))
        if stored.paused_until and (run := self._workers.on(task.id)):
            await run.over.wait()
            (stored,) = await self._store.find(TaskQuery(id=task.id, limit=1))
        return stored

    async def cancel(self, task: Task) -> Task:
        """End a task of this process; returns it when nothing of it runs any more.

        Cancelling twice is no error. While the store refuses, a running task keeps its caller waiting; one
        in line raises StoreError and stays there. Raises AlreadyOver for a task that ended in another way.
        """
        async with self._steering:  # what is being retried or approved is in line when this is over
            waiting = self._queue.remove(task.id)
            held = await self._take_held(task.id)
        if waiting:
            await self._cancel_idle(waiting, partial(self._queue.put_back, waiting))
        elif held and held.paused_until:
            await self._cancel_idle(held, partial(self._holds.put, held.id, held.paused_until))
        elif run := self._workers.on(task.id):
            run.cancelled = True
            run.scope.cancel()
            await run.over.wait()
        return await self._cancelled(task.id)

    async def _take_held(self, task_id: str) -> Task | None:
        """The task as it is now, if it is held; it is no more among those that wait."""
        if task_id not in self._holds:
            return None
        (task,) = await self._store.find(TaskQuery(id=task_id, limit=1))
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
        for task in await self._store.find(TaskQuery(id=task_id, limit=1)):
            if task.status is Status.CANCELLED:
                return task
            if task.status.is_terminal:
                raise AlreadyFinished(f"the task is {task.status} already; nothing is left to cancel")
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


async def _settled(task_log: TaskLog) -> bool:
    try:
        await task_log.reconcile()
    except StoreError:
        return False
    return True


def _check_held(task: Task) -> None:
    if task.status.is_terminal:
        raise AlreadyFinished(f"the task is {task.status}; nothing of it waits for approval")
    if not task.paused_until:
        raise NotPaused(f"the task is {task.status}; nothing of it waits for approval, or not yet")


def _check_failed(task: Task) -> None:
    if not task.status.is_terminal:
        raise StillWorking(f"the task is {task.status}: it has not failed, so there is nothing to try again")
    if task.status is not Status.FAILED:
        raise AlreadyFinished(f"the task is {task.status}; only a failed one can be tried again")
