"""Runs short statements sequentially over a dedicated connection, each as a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial
from typing import Any

import anyio
import psycopg

from gencode.domain.errors import OutcomeUnknown
from gencode.storage.batch_scheduler import BatchScheduler, Outcome
from gencode.storage.postgres.connection import Connection, connect
from gencode.storage.postgres.errors import store_error
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.rows import Row

PATIENCE = 2.0
"""Seconds that a statement waits for an unreachable database."""
MAX_WAITING = 10_000

Operation = Callable[[Connection], Awaitable[Any]]


class StatementRunner:
    """Raises StoreError: the statement had no effect, or perhaps one if the connection was lost. One that was
    sent is run also if its caller is cancelled. The connection is opened for the first statement."""

    def __init__(self, dsn: str) -> None:
        self._connection = ReconnectingConnection(partial(connect, dsn), PATIENCE)
        run = partial(start_batch, partial(run_one, [self._connection]))
        self._scheduler = BatchScheduler(run, MAX_WAITING, OutcomeUnknown, size=1)

    async def fetch(self, sql: bytes, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Run a statement that returns rows."""

        async def fetch(connection: Connection) -> list[Row]:
            return await connection.fetch(sql, values)

        rows: list[Row] = await self._scheduler.call(fetch)
        return rows

    async def close(self) -> None:
        """Wait for what was sent."""
        await self._scheduler.close()
        await self._connection.close()


@asynccontextmanager
async def open_statement_runner(dsn: str) -> AsyncIterator[StatementRunner]:
    runner = StatementRunner(dsn)
    try:
        yield runner
    finally:
        with anyio.CancelScope(shield=True):
            await runner.close()


def start_batch(
    run: Callable[[Sequence[Any]], Coroutine[Any, Any, list[Outcome]]], operations: Sequence[Any]
) -> asyncio.Task[list[Outcome]]:
    """A task without a group: the scheduler waits for it, and the store for the scheduler. Its context is
    empty, because it serves many callers."""
    return asyncio.get_running_loop().create_task(run(operations), context=Context())


async def run_one(free: list[ReconnectingConnection], operations: Sequence[Operation]) -> list[Outcome]:
    """At most as many batches run as there are connections. A lost connection costs one more attempt."""
    reconnecting, values = free.pop(), list[Any]()

    async def run(connection: Connection) -> None:
        values.append(await operations[0](connection))

    try:
        await reconnecting.use(run)
        return [Outcome(value=values[0])]
    except psycopg.Error as error:
        return [Outcome(error=store_error(error))]
    except Exception as error:
        return [Outcome(error=error)]
    finally:
        free.append(reconnecting)
