"""The workers: a bounded number of tasks run at once, each until it is over or paused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import anyio
import structlog

from gencode.domain.errors import Conflict, StoreError
from gencode.domain.phrase import Phrase
from gencode.domain.task import State, Task
from gencode.engine.asyncio_cancellation import is_being_cancelled
from gencode.engine.executor import TaskExecutor
from gencode.engine.ports.fair_queue import Delivery, Queue, Undelivered
from gencode.engine.ports.hub import Hub
from gencode.engine.ports.metrics import EngineMetrics
from gencode.engine.ports.paused_tasks import PausedTasks
from gencode.engine.ports.pipeline import can_run
from gencode.engine.ports.store import Store, TaskQuery
from gencode.engine.task_log import TaskLog

log = structlog.get_logger(__name__)

Sleep = Callable[[float], Awaitable[None]]
Action = Callable[[TaskLog], Awaitable[None]]
RUNNABLE = frozenset({State.QUEUED, State.RUNNING})


@dataclass(slots=True, eq=False)
class ActiveRun:
    """A task that this process runs.

    owner         the worker's name, see Task.owner
    cancelled     by its principal
    interrupted   by the end of the process
    has_begun     whether the worker may have changed it
    finished      set when the worker has finished with the task
    """

    task_id: str
    owner: str
    task_log: TaskLog | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    finished: anyio.Event = field(default_factory=anyio.Event)
    cancelled: bool = False
    interrupted: bool = False
    has_begun: bool = False

    def cancel(self) -> None:
        self.cancelled = True
        self.scope.cancel()


class WorkerPool:
    """Workers receive ids from the queue and register tasks that pause.

    store_retry_seconds   between tries while writes fail with StoreError
    """

    def __init__(
        self,
        queue: Queue,
        paused: PausedTasks,
        executor: TaskExecutor,
        store: Store,
        hub: Hub,
        metrics: EngineMetrics,
        store_retry_seconds: float,
        sleep: Sleep,
    ) -> None:
        self._queue = queue
        self._paused = paused
        self._executor = executor
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._store_retry_seconds = store_retry_seconds
        self._sleep = sleep
        self._active: dict[str, ActiveRun] = {}

    def __len__(self) -> int:
        """Running tasks."""
        return len(self._active)

    def active(self, task_id: str) -> ActiveRun | None:
        return self._active.get(task_id)

    async def work(self, concurrency: int) -> None:
        """Run the tasks that the queue delivers, at most `concurrency` at once, until cancelled."""
        await self._queue.work(self.handle, concurrency)

    async def handle(self, delivery: Delivery) -> None:
        """See gencode.engine.ports.fair_queue.Handler."""
        while run := self._active.get(delivery.task_id):
            await run.finished.wait()  # it was queued twice, or is being expired, and may be queued since
        with self._claim(delivery.task_id, delivery.owner) as run:
            await self._attend(run, partial(self._executor.run, owner=delivery.owner), RUNNABLE)

    async def expire(self, task_id: str, until: datetime) -> None:
        """Fail a task without a worker, if it is still paused with this deadline, which has passed."""
        if task_id in self._active:
            return  # another process has approved it
        with suppress(Undelivered), self._claim(task_id, "") as run:
            await self._attend(run, partial(self._executor.expire, until=until), {State.PAUSED})

    def cancel(self, task_id: str) -> None:
        """Cancel a task that this process runs, for its principal; else does nothing."""
        if run := self._active.get(task_id):
            run.cancel()

    @contextmanager
    def _claim(self, task_id: str, owner: str) -> Iterator[ActiveRun]:
        """Registers a task as soon as it leaves the queue, so that `TaskService.cancel` finds it in one of
        the two."""
        run = self._active[task_id] = ActiveRun(task_id, owner)
        try:
            with structlog.contextvars.bound_contextvars(task_id=task_id):
                yield run
        finally:
            del self._active[task_id]
            run.finished.set()

    async def _attend(self, run: ActiveRun, action: Action, states: Set[State]) -> None:
        """Runs one task until it is over or paused; retries while writes fail.

        A task in none of `states` is skipped: it was queued twice, or another process has ended it.
        Raises Undelivered.
        """
        try:
            while not await self._attempt(run, action, states):
                await self._sleep(self._store_retry_seconds)
            self._metrics.delivery_ended("done")
        except anyio.get_cancelled_exc_class() as error:
            if not is_being_cancelled():
                raise self._left_by_bug() from error
            run.interrupted = True
            await self._release(run)
            self._metrics.delivery_ended("stopped")
            raise
        except Conflict as error:
            log.warning("the task is left to another worker", reason=error.message)
            self._metrics.delivery_ended("fenced" if run.has_begun else "owned")
            raise Undelivered from error
        except Exception as error:
            raise self._left_by_bug() from error

    async def _attempt(self, run: ActiveRun, action: Action, states: Set[State]) -> bool:
        """Whether it was done; if not, the task could not be read or its log could not be written."""
        try:
            is_first = run.task_log is None
            task_log = await self._load(run)
            if task_log is None:
                log.info("task skipped: it is deleted")
                return True
            await self._check_owner(run, task_log.task)
            if is_first and not self._is_due(task_log.task, states):
                log.info("task skipped", state=task_log.task.state, status=task_log.task.status)
                return True
            run.has_begun = True
            if not run.cancelled:
                with anyio.CancelScope() as run.scope:
                    await action(task_log)
            await self._finish(run, task_log)
        except StoreError as error:
            log.error("the store cannot be written; trying again", reason=error.message)
            if run.task_log:
                run.task_log.reset_attempts()
            return False
        return True

    async def _check_owner(self, run: ActiveRun, task: Task) -> None:
        """Raises Conflict while another live worker runs the task."""
        if task.owner not in ("", run.owner) and await self._queue.is_alive(task.owner):
            raise Conflict(Phrase("worker {owner} runs this task", owner=task.owner))

    def _is_due(self, task: Task, states: Set[State]) -> bool:
        return task.state in states and can_run(self._executor.pipelines, task)

    async def _load(self, run: ActiveRun) -> TaskLog | None:
        """None: there is no such task any more."""
        if run.task_log is None:
            for task in await self._store.find(TaskQuery(id=run.task_id, limit=1)):
                run.task_log = TaskLog(task, self._store, self._hub)
        return run.task_log

    async def _finish(self, run: ActiveRun, task_log: TaskLog) -> None:
        """Record the end or the pause of a run; cancels the task first if the principal asked for that."""
        if run.cancelled:
            await self._executor.cancel(task_log)
        task = task_log.task
        if task.paused_until:
            self._paused.put(task.id, task.principal.id, task.paused_until)
            log.info("task paused", until=task.paused_until.isoformat())
        else:
            self.record_end(task)

    def record_end(self, task: Task) -> None:
        """Log and count a task that has just ended."""
        code = task.failure.code if task.failure else ""
        self._metrics.task_finished(task.status, code)
        log.info("task over", status=task.status, code=code, seconds=_age(task))

    async def _release(self, run: ActiveRun) -> None:
        """The process stops: the next one runs the task, unless its principal has just cancelled it."""
        if run.task_log is None:
            return
        with anyio.CancelScope(shield=True):
            try:
                await (self._finish(run, run.task_log) if run.cancelled else run.task_log.release())
            except Exception:
                log.warning("could not store the orderly stop", exc_info=True)

    def _left_by_bug(self) -> Undelivered:
        """The exception to raise after an unexpected one, which is logged here."""
        log.exception("a bug left this task unfinished; it will be queued again")
        self._metrics.delivery_ended("failed")
        return Undelivered()


def _age(task: Task) -> float:
    """Seconds from the submission to the last change."""
    return round((task.updated_at - task.created_at).total_seconds(), 3)
