"""Accepts tasks, runs a bounded number of them at once, cancels them, and stops in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import structlog
from anyio.abc import TaskStatus

from gencode.callback import Callback
from gencode.engine.journal import Journal
from gencode.engine.line import Line
from gencode.engine.recovery import unfinished
from gencode.engine.runner import Runner
from gencode.errors import AlreadyOver, NotFound, ShuttingDown, StillWorking, StoreError
from gencode.hub import Hub
from gencode.metrics import Metrics
from gencode.retry import Sleep
from gencode.store import IdempotencyKey, Query, Store
from gencode.task import Status, Task

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Run:
    journal: Journal
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)
    cancelled: bool = False


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
        self._metrics = metrics
        self._concurrency = concurrency
        self._line = Line(waiting)
        self._retrying = anyio.Lock()
        self._running: dict[str, _Run] = {}
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
    def running(self) -> int:
        return len(self._running)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Resume what an earlier process left, then work until cancelled."""
        for task in await unfinished(self._store):
            self._line.put(task)
        try:
            async with anyio.create_task_group() as tg:
                for _ in range(self._concurrency):
                    tg.start_soon(self._work)
                self._accepting = True
                task_status.started()
        finally:
            self._accepting = False

    def stop_accepting(self) -> None:
        self._accepting = False

    async def submit(
        self, task: Task, key: IdempotencyKey | None = None, callback: Callback | None = None
    ) -> Task:
        """Store a task, and whom to tell of it, and put it in line; what returned is durable.

        Raises QueueFull, ShuttingDown, KeyReused, StoreError; nothing is stored then.
        """
        if not self._accepting:
            raise ShuttingDown("the service is stopping; try again in a moment", retry_after=5)
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
        async with self._retrying:
            if not self._accepting:
                raise ShuttingDown("the service is stopping; try again in a moment", retry_after=5)
            (stored,) = await self._store.find(Query(id=task.id, limit=1))
            if stored.sequence != task.sequence:
                return stored
            if run := self._running.get(task.id):
                await run.over.wait()  # it has failed, but its worker has not left it yet
            return await self._put_again(Journal(stored, self._store, self._hub), changes)

    async def _put_again(self, journal: Journal, changes: Mapping[str, Any] | None) -> Task:
        with self._line.reserve():
            await self._runner.retry(journal, changes)
        log.info("task retried", task_id=journal.task.id, status=journal.task.status)
        self._line.put(journal.task)
        return journal.task

    async def cancel(self, task: Task) -> Task:
        """End a task of this process; returns it when nothing of it runs any more.

        Cancelling twice is no error. While the store refuses, a running task keeps its caller waiting; one
        in line raises StoreError and stays there. Raises AlreadyOver for a task that ended in another way.
        """
        async with self._retrying:  # what is being retried is in line when this is over
            waiting = self._line.remove(task.id)
        if waiting:
            await self._cancel_waiting(waiting)
        elif run := self._running.get(task.id):
            run.cancelled = True
            run.scope.cancel()
            await run.over.wait()
        return await self._cancelled(task.id)

    async def _cancel_waiting(self, task: Task) -> None:
        with self._at_work(task) as run:
            run.cancelled = True
            try:
                with anyio.CancelScope(shield=True):
                    await self._end(run)
            except BaseException:
                self._line.put_back(task)
                raise

    async def _cancelled(self, task_id: str) -> Task:
        for task in await self._store.find(Query(id=task_id, limit=1)):
            if task.status is Status.CANCELLED:
                return task
            if task.status.is_terminal:
                raise AlreadyOver(f"the task is {task.status} already; nothing is left to cancel")
            raise ShuttingDown("the task was not cancelled: the service is stopping; try again in a moment")
        raise NotFound("there is no such task")

    async def _work(self) -> None:
        while True:
            task = await self._line.take()
            with self._at_work(task) as run, structlog.contextvars.bound_contextvars(task_id=task.id):
                await self._attend(run)

    @contextmanager
    def _at_work(self, task: Task) -> Iterator[_Run]:
        """From the very moment it leaves the line: `cancel` looks there, then here."""
        run = self._running[task.id] = _Run(Journal(task, self._store, self._hub))
        try:
            yield run
        finally:
            del self._running[task.id]
            run.over.set()

    async def _attend(self, run: _Run) -> None:
        """One task until it is over, also through a store that refuses for a while."""
        try:
            while not await self._attempt(run):
                await self._sleep(self._store_pause)
        except anyio.get_cancelled_exc_class():
            await self._rest(run)
            raise
        except Exception:
            log.exception("a bug left this task unfinished; it goes on when the service starts again")

    async def _attempt(self, run: _Run) -> bool:
        """Whether the task is over; if not, its log could not be written."""
        try:
            if not run.cancelled:
                with anyio.CancelScope() as run.scope:
                    await self._runner.run(run.journal)
            await self._end(run)
        except StoreError as error:
            log.error("the task's log cannot be written; trying again", reason=error.message)
            run.journal.forgive()
            return False
        return True

    async def _end(self, run: _Run) -> None:
        if run.cancelled:
            await self._runner.cancel(run.journal)
        task = run.journal.task
        code = task.failure.code if task.failure else ""
        self._metrics.tasks.labels(task.status, code).inc()
        log.info("task over", status=task.status, code=code, seconds=_age(task))

    async def _rest(self, run: _Run) -> None:
        """The process stops: the task goes on in the next one, unless its client has ended it just now."""
        with anyio.CancelScope(shield=True):
            try:
                await (self._end(run) if run.cancelled else run.journal.rest())
            except Exception:
                log.warning("could not note the orderly stop", exc_info=True)


def _check_failed(task: Task) -> None:
    if not task.status.is_terminal:
        raise StillWorking(f"the task is {task.status}: it has not failed, so there is nothing to try again")
    if task.status is not Status.FAILED:
        raise AlreadyOver(f"the task is {task.status}; only a failed one can be tried again")


def _age(task: Task) -> float:
    return round((task.updated_at - task.created_at).total_seconds(), 3)
