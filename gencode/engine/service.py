"""Accepts tasks, runs a bounded number of them at once; principals cancel, retry and approve them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import structlog
from anyio.abc import TaskStatus

from gencode.domain.callback import Callback
from gencode.domain.errors import (
    AlreadyFinished,
    NotFound,
    OutcomeUnknown,
    ShuttingDown,
    StillWorking,
    StoreError,
    UnknownKind,
)
from gencode.domain.phrase import Phrase
from gencode.domain.task import State, Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.orphan_sweeper import OrphanRecovery, Sweeper
from gencode.engine.paused_tasks import PausedTasksInMemory
from gencode.engine.ports.fair_queue import Queue
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.metrics import EngineMetrics
from gencode.engine.ports.paused_tasks import PausedTasks
from gencode.engine.ports.pipeline import Decision, can_run
from gencode.engine.ports.retention_store import finished_task
from gencode.engine.ports.store import IdempotencyKey, Store, TaskQuery
from gencode.engine.shielded_operations import ShieldedOperations
from gencode.engine.state_checks import check_failed, check_over, check_paused, has_expired
from gencode.engine.task_log import TaskLog
from gencode.engine.worker_pool import Sleep, WorkerPool

log = structlog.get_logger(__name__)


CANCEL_POLL_SECONDS = 0.5
"""Seconds between two reads of a task that the worker of another process is to cancel."""


class TaskService:
    """One per process. `run` is its lifetime; everything else may be called while it runs.

    concurrency           tasks that run at once; 0: other processes run them
    recovery              finds orphans; by default those of this process, the only one with this store
    store_retry_seconds   between tries while writes fail with StoreError
    """

    def __init__(
        self,
        executor: TaskExecutor,
        store: Store,
        hub: Hub,
        queue: Queue,
        metrics: EngineMetrics,
        concurrency: int,
        paused: PausedTasks | None = None,
        recovery: OrphanRecovery | None = None,
        store_retry_seconds: float = 5.0,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._executor = executor
        self._store = store
        self._hub = hub
        self._queue = queue
        self._concurrency = concurrency
        self._paused = PausedTasksInMemory() if paused is None else paused
        self._pool = WorkerPool(
            queue, self._paused, executor, store, hub, metrics, store_retry_seconds, sleep
        )
        self._locks = KeyedLocks()
        """Locks by task id, held while it is retried, approved, amended, cancelled, deleted or expires."""
        self._submitting: set[str] = set()
        self._recovery = recovery or Sweeper(
            store, queue, self._paused, executor.pipelines, self._locks, self._is_owned
        )
        self._store_retry_seconds = store_retry_seconds
        self._sleep = sleep
        self._operations = ShieldedOperations()
        self._accepting = False

    @property
    def accepting(self) -> bool:
        return self._accepting

    @property
    def waiting(self) -> int:
        """Tasks in the queue."""
        return len(self._queue)

    @property
    def paused(self) -> int:
        return len(self._paused)

    @property
    def running(self) -> int:
        return len(self._pool)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Recover the unfinished tasks of an earlier process, then run tasks until cancelled."""
        await self._recovery.recover()
        try:
            async with anyio.create_task_group() as group:
                if self._concurrency:
                    group.start_soon(self._pool.work, self._concurrency)
                group.start_soon(self._expire_paused)
                group.start_soon(self._recovery.run)
                self._accepting = True
                task_status.started()
        finally:
            self._accepting = False
            with anyio.CancelScope(shield=True):
                await self._operations.finish()

    def stop_accepting(self) -> None:
        self._accepting = False

    # --- submitting ---------------------------------------------------------------------------------

    async def submit(
        self,
        task: Task,
        request: Mapping[str, Any],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
        *,
        may_pause: bool = False,
    ) -> Task:
        """Store a task, then queue it; on return it is durable. With a known key: the key's first task.

        `may_pause`: the task may wait for a decision, which counts against its principal's limit.

        Raises QueueFull, ShuttingDown, UnknownKind, IdempotencyKeyReused, StoreError: nothing is stored then,
        except after OutcomeUnknown or a cancellation of the caller. In these cases the sweeper finds out
        whether it was.
        """
        self._check_accepting()
        self._check_known(task)
        if may_pause:
            await self._paused.check_limit(task.principal.id)
        with self._queue.reserve(task.principal.id), self._as_submitting(task.id):
            stored = await self._task_log(task).create(request, key, callback)
            if stored.id == task.id:
                self._queue.put(stored.id, stored.principal.id)
        if stored.id == task.id:
            log.info("task created", task_id=task.id, client=task.principal.id, kind=task.kind)
        return stored

    @contextmanager
    def _as_submitting(self, task_id: str) -> Iterator[None]:
        self._submitting.add(task_id)
        try:
            yield
        except BaseException as error:
            if isinstance(error, OutcomeUnknown) or not isinstance(error, Exception):
                self._recovery.request()
            raise
        finally:
            self._submitting.discard(task_id)

    def _is_owned(self, task_id: str) -> bool:
        return task_id in self._submitting or self._pool.active(task_id) is not None

    # --- task control -------------------------------------------------------------------------------

    async def retry(
        self, task: Task, changes: Mapping[str, Any] | None = None, *, may_pause: bool = False
    ) -> Task:
        """Queue a failed task again, in the stage where it failed; on return this is durable.

        task        as the caller read it; if it has changed since (a double click), it is returned as it is
        now
        changes     to the task's parameters
        may_pause   see `submit`; known of a task that failed with APPROVAL_EXPIRED

        Raises AlreadyFinished, StillWorking, UnknownKind, QueueFull, ShuttingDown, StoreError; the task stays
        failed then.
        """
        self._check_known(task)
        check_failed(task)
        return await self._operations.run(partial(self._retry, task, changes or {}, may_pause))

    async def _retry(self, task: Task, changes: Mapping[str, Any], may_pause: bool) -> Task:
        async with self._locks(task.id):
            self._check_accepting()
            stored = await self._load(task.id)
            if stored.sequence != task.sequence:
                return stored
            if may_pause or has_expired(stored):
                await self._paused.check_limit(stored.principal.id)
            if run := self._pool.active(task.id):
                await run.finished.wait()  # it has failed, but its worker has not finished with it yet
            task_log = self._task_log(stored)
            with self._queue.reserve(stored.principal.id):
                await self._confirm(task_log, self._executor.retry(task_log, changes))
                self._queue.put(stored.id, stored.principal.id)
        log.info("task retried", task_id=task.id, status=task_log.task.status)
        return task_log.task

    async def approve(self, task: Task, decision: Decision) -> Task:
        """Queue a paused task again, with what `decision` stores; on return this is durable.

        `task` is what the caller read; if it was approved since (a double click), it is returned as it is
        now.

        Raises NotPaused, AlreadyFinished, UnknownKind, QueueFull, ShuttingDown, StoreError and what
        `decision` raises; the task stays paused then.
        """
        self._check_known(task)
        check_paused(task)
        return await self._operations.run(partial(self._approve, task, decision))

    async def _approve(self, task: Task, decision: Decision) -> Task:
        async with self._locks(task.id):
            self._check_accepting()
            stored = await self._load_paused(task.id)
            if not stored.is_idle:
                return stored
            check_paused(stored)
            task_log = self._task_log(stored)
            with self._queue.reserve(stored.principal.id):
                update = decision(await self._store.checkpoints(task.id))
                await self._confirm(task_log, self._executor.approve(task_log, update))
                self._paused.remove(task.id)
                self._queue.put(stored.id, stored.principal.id)
        log.info("task approved", task_id=task.id)
        return task_log.task

    async def amend(self, task: Task, decision: Decision) -> Task:
        """Store a change of a paused task, which stays paused; on return this is durable.

        Raises NotPaused, AlreadyFinished, UnknownKind, StoreError and what `decision` raises.
        """
        self._check_known(task)
        return await self._operations.run(partial(self._amend, task, decision))

    async def _amend(self, task: Task, decision: Decision) -> Task:
        async with self._locks(task.id):
            task_log = self._task_log(await self._load_paused(task.id))
            check_paused(task_log.task)
            update = decision(await self._store.checkpoints(task.id))
            await self._confirm(task_log, task_log.amend(update))
            return task_log.task

    async def cancel(self, task: Task) -> Task:
        """End a task; returns it when its run has ended. Cancelling twice is no error.

        While writes fail with StoreError, the caller of a running task waits; for a task without a
        worker, StoreError is raised and the task is unchanged. Raises AlreadyFinished for a task that ended
        in another way, NotFound, UnknownKind.
        """
        self._check_known(task)
        return await self._operations.run(partial(self._cancel, task))

    async def _cancel(self, task: Task) -> Task:
        async with self._locks(task.id):
            if run := self._pool.active(task.id):
                run.cancel()
                await run.finished.wait()
            if not (run and run.interrupted):
                await self._cancel_idle(task)
            return self._check_cancelled(await self._load(task.id))

    async def delete(self, task: Task) -> None:
        """Delete a task that is over, with all its data; its usage stays in the totals.

        Raises StillWorking for one that is not over, or whose callback has undelivered events, NotFound,
        StoreError.
        """
        check_over(task)
        await self._operations.run(partial(self._delete, task.id))

    async def _delete(self, task_id: str) -> Task:
        async with self._locks(task_id):
            check_over(task := await self._load(task_id))
            if run := self._pool.active(task_id):
                await run.finished.wait()  # it is over, but its worker has not finished with it yet
            if await self._store.delete_tasks([finished_task(task)]):
                log.info("task deleted", task_id=task_id, client=task.principal.id, kind=task.kind)
                return task
            check_over(await self._load(task_id))
            raise StillWorking("its webhook has not got all events yet: delete it once they are delivered")

    def cancel_here(self, task_id: str) -> None:
        """Cancel a task for another process, if this one runs it; does not wait."""
        self._pool.cancel(task_id)

    async def _cancel_idle(self, task: Task) -> None:
        """Cancel a task that no worker of this process has, unless it is over."""
        undo = self._withdraw(task)
        try:
            task_log = self._task_log(await self._left_by_others(task.id))
            if not task_log.task.state.is_terminal:
                await self._confirm(task_log, self._executor.cancel(task_log))
                self._pool.record_end(task_log.task)
        except BaseException:
            undo()
            raise

    async def _left_by_others(self, task_id: str) -> Task:
        """The task, once no live worker of another process runs it; such a worker cancels it."""
        while True:
            task = await self._load(task_id)
            if not (task.owner and await self._queue.is_alive(task.owner)):
                return task
            await self._queue.request_cancel(task_id)
            await self._sleep(CANCEL_POLL_SECONDS)

    def _withdraw(self, task: Task) -> Callable[[], None]:
        """Remove it from the queue or the paused tasks. Returns a function that puts it back."""
        if self._queue.remove(task.id):
            return partial(self._queue.put_first, task.id, task.principal.id)
        if until := self._paused.until(task.id):
            self._paused.remove(task.id)
            return partial(self._paused.put, task.id, task.principal.id, until)
        return lambda: None

    async def _expire_paused(self) -> None:
        """Fail paused tasks without a decision in time, until cancelled."""
        while True:
            task_id, until = await self._paused.expired()
            async with self._locks(task_id):
                if self._paused.remove(task_id, until):  # else it was approved and paused anew meanwhile
                    await self._pool.expire(task_id, until)

    async def _confirm(self, task_log: TaskLog, write: Awaitable[None]) -> None:
        """Await a write. Raises StoreError when it was not stored.

        A write that raised may have been stored, so the store is read until it responds: if it was, the task
        must be queued, or published as cancelled. A service that stops does not wait for this.
        """
        before = task_log.task.version
        try:
            await write
        except StoreError:
            while not await _is_reconciled(task_log):
                self._check_accepting()
                await self._sleep(self._store_retry_seconds)
            if task_log.task.version == before:
                raise

    # --- reading and checking -----------------------------------------------------------------------

    async def _load(self, task_id: str) -> Task:
        for task in await self._store.find(TaskQuery(id=task_id, limit=1)):
            return task
        raise NotFound("there is no such task")

    async def _load_paused(self, task_id: str) -> Task:
        """The task as it is now. If it is paused, its worker has finished with it."""
        stored = await self._load(task_id)
        if stored.paused_until and (run := self._pool.active(task_id)):
            await run.finished.wait()
            return await self._load(task_id)
        return stored

    def _task_log(self, task: Task) -> TaskLog:
        return TaskLog(task, self._store, self._hub)

    def _check_accepting(self) -> None:
        if not self._accepting:
            raise ShuttingDown("the service is stopping; try again in a moment", retry_after=5)

    def _check_known(self, task: Task) -> None:
        if not can_run(self._executor.pipelines, task):
            raise UnknownKind(
                Phrase(
                    "this service does not know tasks of kind {kind!r} in status {status!r}: they "
                    "are shown and left alone",
                    kind=task.kind[:100],
                    status=task.status[:100],
                )
            )

    def _check_cancelled(self, task: Task) -> Task:
        if task.state is State.CANCELLED:
            return task
        if task.state.is_terminal:
            raise AlreadyFinished(
                Phrase("the task is {status} already; nothing is left to cancel", status=task.status)
            )
        raise ShuttingDown("the task was not cancelled: the service is stopping; try again in a moment")


async def _is_reconciled(task_log: TaskLog) -> bool:
    try:
        await task_log.reconcile()
    except StoreError:
        return False
    return True
