"""Finds work that nobody does: jobs of dead workers, and unfinished tasks without a job.

Every worker process has a keeper; one of them works at a time, by a lock in the database.
"""

from __future__ import annotations

from typing import Any

import anyio
import psycopg
import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from gencode.domain.errors import StoreError
from gencode.domain.task import State, Task
from gencode.engine.ports.pipeline import Pipelines, can_run
from gencode.engine.ports.store import Store, TaskQuery
from gencode.queue.procrastinate.job_writer import QUEUE, JobWriter
from gencode.queue.procrastinate.timing import QueueTiming

log = structlog.get_logger(__name__)

RUNNABLE = frozenset({State.QUEUED, State.RUNNING})
MAX_ORPHANS = 500
"""Tasks that one look takes up."""

_LIMIT = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"
"""Milliseconds. A process that is stopped while it has the lock loses its connection, and so the lock."""
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('gencode keeper', 0))"
_ORPHANS = """
SELECT id FROM gencode.tasks
WHERE state NOT IN ('succeeded', 'failed', 'cancelled') AND state IN ('queued', 'running')
    AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs WHERE lock = tasks.id AND status IN ('todo', 'doing')
    )
ORDER BY id LIMIT %s
"""
"""Reads the store's table of tasks. The first condition is that of its index of unfinished tasks."""


class Keeper:
    """A gencode.engine.orphan_sweeper.OrphanRecovery. procrastinate rescues nothing by itself.

    A job whose worker is dead is delivered again. A task loses its job where a worker that was taken for dead
    ends the job of its successor, where a worker is stopped while the store refuses, or by hand.

    rescued   jobs of dead workers that it has delivered again
    swept     tasks without a job that it has given one
    """

    def __init__(self, app: App, store: Store, pipelines: Pipelines, timing: QueueTiming) -> None:
        self._app = app
        self._connector: Any = app.connector
        self._write_jobs = JobWriter(app.job_manager)
        self._store = store
        self._pipelines = pipelines
        self._timing = timing
        self.rescued = 0
        self.swept = 0
        self._wanted = anyio.Event()

    def request(self) -> None:
        self._wanted.set()

    async def recover(self) -> None:
        """What an earlier process left has its jobs; what has none is found by `run`."""

    async def run(self) -> None:
        while True:
            try:
                await self.keep()
            except (ConnectorException, psycopg.Error, StoreError) as error:
                log.warning("the keeper waits for the database", reason=type(error).__name__)
            with anyio.move_on_after(self._timing.keeping):
                await self._wanted.wait()
            self._wanted = anyio.Event()

    async def keep(self) -> bool:
        """Look once; False if another process does so at the moment."""
        async with self._connector.pool.connection() as connection, connection.transaction():
            await connection.execute(_LIMIT, (f"{self._timing.stale * 1000:.0f}",))
            row = await (await connection.execute(_LOCK)).fetchone()
            if not row[0]:
                return False
            await self._app.job_manager.prune_stalled_workers(self._timing.stale)
            await self._rescue()
            await self._sweep(connection)
        return True

    async def _rescue(self) -> None:
        """Jobs of workers without a heartbeat. The lock keeps a second keeper, which would read the same
        jobs a moment later, from taking them from the worker that has them by then."""
        stalled = await self._app.job_manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=self._timing.stale
        )
        for job in stalled:
            try:
                await self._app.job_manager.retry_job(job)
            except ConnectorException:
                continue  # it has ended meanwhile
            self.rescued += 1
            log.warning("a task of a dead worker is delivered again", task_id=job.lock, worker=job.worker_id)

    async def _sweep(self, connection: psycopg.AsyncConnection[Any]) -> None:
        rows = await (await connection.execute(_ORPHANS, (MAX_ORPHANS,))).fetchall()
        for (task_id,) in rows:
            if task := await self._orphan(task_id):
                await self._write_jobs(connection, [(task.id, task.principal.id)])
                self.swept += 1
                log.warning("an orphaned task was queued again", task_id=task.id)

    async def _orphan(self, task_id: str) -> Task | None:
        """Unless it has ended meanwhile, or is of a kind that this version does not know."""
        for task in await self._store.find(TaskQuery(id=task_id, limit=1)):
            if task.state in RUNNABLE and can_run(self._pipelines, task):
                return task
        return None
