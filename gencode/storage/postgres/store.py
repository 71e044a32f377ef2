"""A store in a PostgreSQL database.

Durability costs a flush of the database's log for each transaction; one transaction for all callers of a
process that wait shares it. Reads have connections of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial
from typing import Any

import anyio
import psycopg

from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.storage.postgres import reads
from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import store_error, store_unusable
from gencode.storage.postgres.migrations import migrate
from gencode.storage.postgres.reconnecting import ReconnectingConnection
from gencode.storage.postgres.statements import CHECK_WRITABLE
from gencode.storage.postgres.writes import Enqueue, Writer
from gencode.storage.row_store import RowStore
from gencode.storage.turn_scheduler import Outcome, TurnScheduler

Read = Callable[[Connection], Awaitable[Any]]


class PostgresStore(RowStore):
    """See `open_postgres`."""


@asynccontextmanager
async def open_postgres(
    dsn: str, enqueue: Enqueue | None = None, *, readers: int = 4, patience: float = 5.0, limit: int = 10_000
) -> AsyncIterator[PostgresStore]:
    """The store in this database, whose tables are made or migrated. Leaving waits for what is under way.

    dsn        address of the database, as libpq takes it: postgresql://USER:PASSWORD@HOST:PORT/DATABASE
    enqueue    called in the transaction that makes tasks queued, see `Enqueue`
    readers    most connections for reads; one more is for writes
    patience   seconds that calls wait for a database that is away, such as one that restarts, before
               StoreError; at the start it is not waited for
    limit      most calls that may wait; more raise StoreError

    Raises StoreUnusable with the reason and the remedy.
    """
    writer = ReconnectingConnection(partial(connect, dsn), patience, await _prepared(dsn))
    free = [ReconnectingConnection(partial(connect, dsn), patience) for _ in range(readers)]
    slots = [writer, *free]
    write = TurnScheduler(partial(_start, Writer(writer, enqueue).run), limit, OutcomeUnknown)
    read = TurnScheduler(partial(_start, partial(_run_read, free)), limit, StoreError, turns=readers, size=1)
    try:
        yield PostgresStore(write.call, read.call, reads)
    finally:
        with anyio.CancelScope(shield=True):
            await write.close()
            await read.close()
            for slot in slots:
                await slot.close()


def _start(
    run: Callable[[Sequence[Any]], Coroutine[Any, Any, list[Outcome]]], operations: Sequence[Any]
) -> asyncio.Task[list[Outcome]]:
    """A task without a group: the scheduler waits for it, and the store for the scheduler. It serves many
    callers, so nothing of the context of one is logged with it."""
    return asyncio.get_running_loop().create_task(run(operations), context=Context())


async def _run_read(free: list[ReconnectingConnection], operations: Sequence[Read]) -> list[Outcome]:
    """At most as many turns run as there are slots. A lost connection costs one more attempt."""
    slot, values = free.pop(), list[Any]()

    async def read(connection: Connection) -> None:
        values.append(await operations[0](connection))

    try:
        await slot.use(read)
        return [Outcome(value=values[0])]
    except psycopg.Error as error:
        return [Outcome(error=store_error(error))]
    except Exception as error:
        return [Outcome(error=error)]
    finally:
        free.append(slot)


async def _prepared(dsn: str) -> Connection:
    """A connection to a database that has the tables and can be written to."""
    try:
        connection = await connect(dsn)
        try:
            await migrate(connection.raw)
            await connection.begin()
            await connection.fetch(CHECK_WRITABLE)
            await connection.commit()
        except BaseException:
            await connection.close()
            raise
    except psycopg.Error as error:
        raise store_unusable(place(dsn), error) from error
    return connection
