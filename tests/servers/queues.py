"""Queues for tests: what is put into them as the service does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import psycopg
from procrastinate import App

from gencode.engine.ports.fair_queue import Queue
from gencode.queue.procrastinate.queue import ProcrastinateQueue, open_app
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts
from tests.servers.postgres import PostgresServer

TIMEOUTS = WorkerTimeouts(stale=4)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueHarness:
    """`put`: queues a task's id for a principal, as its acceptance does."""

    queue: Queue
    put: Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenQueue:
    """A process's queue; `app`: procrastinate."""

    queue: ProcrastinateQueue
    app: App
    dsn: str

    async def put(self, *tasks: tuple[str, str]) -> None:
        """In one transaction; ids and principals."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            await self.queue.job_writer(connection, tasks)

    async def rows(self, statement: str) -> list[tuple[object, ...]]:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []


def queue_database(server: PostgresServer) -> str:
    """The address of a new database with the queue's tables."""
    return server.create_database(server.template("queue", _fill))


def _fill(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA gencode")
    with ThreadPoolExecutor() as thread:  # the test's own has an event loop that runs
        thread.submit(anyio.run, migrate_queue, dsn).result()


@asynccontextmanager
async def open_queue(
    dsn: str, limit: int = 100, timeouts: WorkerTimeouts = TIMEOUTS
) -> AsyncIterator[OpenQueue]:
    async def request_cancel(task_id: str) -> None: ...

    async with open_app(dsn) as app:
        yield OpenQueue(queue=ProcrastinateQueue(app, limit, timeouts, request_cancel), app=app, dsn=dsn)
