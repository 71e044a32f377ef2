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
from gencode.queue.procrastinate.job_writer import JobWriter
from gencode.queue.procrastinate.keeper_statements import (
    DELETE_JOBS,
    DELIVER_AGAIN,
    DELIVER_NOW,
    FORGET_TURNS,
    LIMITS,
    ORPHANS,
    PRUNE_WORKERS,
    TRY_LOCK,
)
from gencode.queue.procrastinate.timing import QueueTiming

log = structlog.get_logger(__name__)

Connection = psycopg.AsyncConnection[Any]

RUNNABLE = frozenset({State.QUEUED, State.RUNNING})
MAX_ORPHANS = 500
"""Tasks that one look takes up."""


class Keeper:
    """A gencode.engine.orphan_sweeper.OrphanRecovery. procrastinate rescues nothing by itself.

    A job whose worker is dead is delivered again. A task loses its job where a worker that was taken for dead
    ends the job of its successor, where a worker is stopped while it claims the task or while the store
    refuses, or by hand.

    rescued   jobs of dead workers that it has delivered again
    swept     tasks without a job that it has given one
    """

    def __init__(self, app: App, store: Store, pipelines: Pipelines, timing: QueueTiming) -> None:
        self._app = app
        self._connector: Any = app.connector
        self._write_jobs = JobWriter(app.job_manager)
        self._store = store
        self._pipelines = pipelines
        self._values = {"stale": timing.stale, "idle": f"{timing.stale * 500:.0f}"}
        self._pause = timing.keeping
        self._after = ""
        """Orphans are looked for behind this task. Those that this version must not run hide no others."""
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
            except Exception:
                log.exception("a bug ended this look of the keeper")
            with anyio.move_on_after(self._pause):
                await self._wanted.wait()
            self._wanted = anyio.Event()

    async def keep(self) -> bool:
        """Look once; False if another process does so at the moment."""
        async with self._connector.pool.connection() as connection, connection.transaction():
            await connection.execute(LIMITS, self._values)
            row = await (await connection.execute(TRY_LOCK)).fetchone()
            if not row[0]:
                return False
            await self._rescue(connection)
            await self._sweep(connection)
            await connection.execute(DELETE_JOBS)
            await connection.execute(FORGET_TURNS)
        return True

    async def _rescue(self, connection: Connection) -> None:
        cursor = await connection.execute(DELIVER_AGAIN, self._values)
        for task_id, worker in await cursor.fetchall():
            self.rescued += 1
            log.warning("a task of a dead worker is delivered again", task_id=task_id, worker=worker)
        await connection.execute(PRUNE_WORKERS, self._values)
        await connection.execute(DELIVER_NOW, self._values)

    async def _sweep(self, connection: Connection) -> None:
        """All are read before the first is written: turns that are taken hold up who takes the next ones."""
        values = {"after": self._after, "limit": MAX_ORPHANS}
        rows = await (await connection.execute(ORPHANS, values)).fetchall()
        self._after = rows[-1][0] if len(rows) == MAX_ORPHANS else ""
        if orphans := [task for (task_id,) in rows for task in await self._orphan(task_id)]:
            await self._write_jobs(connection, [(task.id, task.principal.id) for task in orphans])
            self.swept += len(orphans)
            log.warning("orphaned tasks were queued again", task_ids=[task.id for task in orphans])

    async def _orphan(self, task_id: str) -> list[Task]:
        """The task, unless it has ended meanwhile, or is of a kind that this version does not know."""
        found = await self._store.find(TaskQuery(id=task_id, limit=1))
        return [task for task in found if task.state in RUNNABLE and can_run(self._pipelines, task)]
