"""Who works on tasks: a bounded number at once, each on one task until it is over or held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import structlog

from gencode.domain.errors import StoreError
from gencode.domain.task import Task
from gencode.engine.executor import TaskExecutor
from gencode.engine.hub import Hub
from gencode.engine.paused_tasks import PausedTasks
from gencode.engine.store import Store
from gencode.engine.task_log import TaskLog
from gencode.observability.metrics import Metrics
from gencode.queue.in_process import FairQueue
from gencode.resilience.retry import Sleep

log = structlog.get_logger(__name__)


Job = Callable[[TaskLog], Awaitable[None]]


@dataclass(slots=True, eq=False)
class ActiveRun:
    """One task in somebody's hands. `cancelled`: by its client; `over` when they have let go of it."""

    task_log: TaskLog
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)
    cancelled: bool = False


class WorkerPool:
    """They take tasks from the line, and put those that wait for a person's word among the holds.

    store_pause   seconds between tries to write the log of a task while the store refuses
    """

    def __init__(
        self,
        line: FairQueue,
        holds: PausedTasks,
        runner: TaskExecutor,
        store: Store,
        hub: Hub,
        metrics: Metrics,
        store_pause: float,
        sleep: Sleep,
    ) -> None:
        self._queue = line
        self._holds = holds
        self._runner = runner
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._store_pause = store_pause
        self._sleep = sleep
        self._running: dict[str, ActiveRun] = {}

    def __len__(self) -> int:
        """Tasks that are worked on."""
        return len(self._running)

    def on(self, task_id: str) -> ActiveRun | None:
        return self._running.get(task_id)

    async def work(self) -> None:
        """One worker's life."""
        while True:
            task = await self._queue.take()
            with self.at_work(task) as run, structlog.contextvars.bound_contextvars(task_id=task.id):
                await self._attend(run, self._runner.run)

    async def expire(self, task: Task) -> None:
        """End a held task for which nobody had a word in time."""
        with self.at_work(task) as run, structlog.contextvars.bound_contextvars(task_id=task.id):
            await self._attend(run, self._runner.expire)

    @contextmanager
    def at_work(self, task: Task) -> Iterator[ActiveRun]:
        """From the very moment it leaves the line: who cancels looks there, then here."""
        run = self._running[task.id] = ActiveRun(TaskLog(task, self._store, self._hub))
        try:
            yield run
        finally:
            del self._running[task.id]
            run.over.set()

    async def end(self, run: ActiveRun) -> None:
        """What is left to do when a run has come to its end, or its client has said that it shall."""
        if run.cancelled:
            await self._runner.cancel(run.task_log)
        task = run.task_log.task
        if task.paused_until:
            self._holds.put(task.id, task.paused_until)
            log.info("task held", until=task.paused_until.isoformat())
            return
        code = task.failure.code if task.failure else ""
        self._metrics.finished_tasks.labels(task.status, code).inc()
        log.info("task over", status=task.status, code=code, seconds=_age(task))

    async def _attend(self, run: ActiveRun, job: Job) -> None:
        """One task until it is over or held, also through a store that refuses for a while."""
        try:
            while not await self._attempt(run, job):
                await self._sleep(self._store_pause)
        except anyio.get_cancelled_exc_class():
            await self._rest(run)
            raise
        except Exception:
            log.exception("a bug left this task unfinished; it goes on when the service starts again")

    async def _attempt(self, run: ActiveRun, job: Job) -> bool:
        """Whether it was done; if not, the task's log could not be written."""
        try:
            if not run.cancelled:
                with anyio.CancelScope() as run.scope:
                    await job(run.task_log)
            await self.end(run)
        except StoreError as error:
            log.error("the task's log cannot be written; trying again", reason=error.message)
            run.task_log.reset_attempts()
            return False
        return True

    async def _rest(self, run: ActiveRun) -> None:
        """The process stops: the task goes on in the next one, unless its client has ended it just now."""
        with anyio.CancelScope(shield=True):
            try:
                await (self.end(run) if run.cancelled else run.task_log.rest())
            except Exception:
                log.warning("could not note the orderly stop", exc_info=True)


def _age(task: Task) -> float:
    return round((task.updated_at - task.created_at).total_seconds(), 3)
