"""Recovers jobs of dead workers, and unfinished tasks without a job.

Runs in every worker process; an advisory lock in the database serializes the runs.
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
from gencode.queue.procrastinate.job_recovery_statements import (
    DELETE_JOBS,
    DELETE_START_TAGS,
    DELIVER_AGAIN,
    DELIVER_NOW,
    LIMITS,
    ORPHANS,
    PRUNE_WORKERS,
    TRY_LOCK,
)
from gencode.queue.procrastinate.job_writer import JobWriter
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts

log = structlog.get_logger(__name__)

Connection = psycopg.AsyncConnection[Any]

RUNNABLE = frozenset({State.QUEUED, State.RUNNING})
MAX_ORPHANS = 500
"""Most tasks that one run queues."""


class JobRecovery:
    """A gencode.engine.orphan_sweeper.OrphanRecovery. procrastinate itself recovers nothing.

    A job whose worker is dead is delivered again. A task loses its job if a worker that was declared dead
    ends the job of its successor, if a worker is stopped while it claims the task or while writes fail, or if
    somebody deletes it.

    rescued   jobs of dead workers that were delivered again
    swept     tasks without a job that were queued again
    """

    def __init__(self, app: App, store: Store, pipelines: Pipelines, timeouts: WorkerTimeouts) -> None:
        self._app = app
        self._connector: Any = app.connector
        self._write_jobs = JobWriter(app.job_manager)
        self._store = store
        self._pipelines = pipelines
        self._values = {"stale": timeouts.stale, "idle": f"{timeouts.stale * 500:.0f}"}
        self._pause = timeouts.recovery_interval
        self._after = ""
        """The id after which the next search begins, so that tasks that this version cannot run hide no
        others."""
        self.rescued = 0
        self.swept = 0
        self._requested = anyio.Event()

    def request(self) -> None:
        self._requested.set()

    async def recover(self) -> None:
        """Does nothing: tasks of earlier processes have jobs, and `run` finds those without."""

    async def run(self) -> None:
        while True:
            try:
                await self.run_once()
            except (ConnectorException, psycopg.Error, StoreError) as error:
                log.warning("job recovery waits for the database", reason=type(error).__name__)
            except Exception:
                log.exception("an unexpected error ended a run of job recovery")
            with anyio.move_on_after(self._pause):
                await self._requested.wait()
            self._requested = anyio.Event()

    async def run_once(self) -> bool:
        """Recover once; False if another process is doing so."""
        async with self._connector.pool.connection() as connection, connection.transaction():
            await connection.execute(LIMITS, self._values)
            row = await (await connection.execute(TRY_LOCK)).fetchone()
            if not row[0]:
                return False
            await self._rescue(connection)
            await self._sweep(connection)
            await connection.execute(DELETE_JOBS)
            await connection.execute(DELETE_START_TAGS)
        return True

    async def _rescue(self, connection: Connection) -> None:
        cursor = await connection.execute(DELIVER_AGAIN, self._values)
        for task_id, worker in await cursor.fetchall():
            self.rescued += 1
            log.warning("a task of a dead worker is delivered again", task_id=task_id, worker=worker)
        await connection.execute(PRUNE_WORKERS, self._values)
        await connection.execute(DELIVER_NOW, self._values)

    async def _sweep(self, connection: Connection) -> None:
        """Reads all tasks before it writes the first job, since start tags of an open transaction block
        others."""
        values = {"after": self._after, "limit": MAX_ORPHANS}
        rows = await (await connection.execute(ORPHANS, values)).fetchall()
        self._after = rows[-1][0] if len(rows) == MAX_ORPHANS else ""
        if orphans := [task for (task_id,) in rows for task in await self._orphan(task_id)]:
            await self._write_jobs(connection, [(task.id, task.principal.id) for task in orphans])
            self.swept += len(orphans)
            log.warning("orphaned tasks were queued again", task_ids=[task.id for task in orphans])

    async def _orphan(self, task_id: str) -> list[Task]:
        """The task, unless it has ended meanwhile or its kind is unknown to this version."""
        found = await self._store.find(TaskQuery(id=task_id, limit=1))
        return [task for task in found if task.state in RUNNABLE and can_run(self._pipelines, task)]
