"""A store in a PostgreSQL database.

Durability costs a flush of the database's log for each transaction; one transaction for all callers of a
process that wait shares it. Reads have connections of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import psycopg

from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.storage.batch_scheduler import BatchScheduler
from gencode.storage.postgres import reads
from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import store_unusable
from gencode.storage.postgres.migrations import migrate
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.postgres.statement_runner import run_one, start_batch
from gencode.storage.postgres.statements import CHECK_WRITABLE
from gencode.storage.postgres.writes import Enqueue, Writer
from gencode.storage.row_store import RowStore


class PostgresStore(RowStore):
    """See `open_postgres`."""


@asynccontextmanager
async def open_postgres(
    dsn: str, enqueue: Enqueue | None = None, *, readers: int = 4, patience: float = 5.0, limit: int = 10_000
) -> AsyncIterator[PostgresStore]:
    """The store in this database, whose tables are made or migrated. Leaving waits for running calls.

    dsn        address of the database, as libpq takes it: postgresql://USER:PASSWORD@HOST:PORT/DATABASE
    enqueue    called in the transaction that makes tasks queued, see `Enqueue`
    readers    most connections for reads; one more is for writes
    patience   seconds that calls wait for an unreachable database, such as one that restarts, before
               StoreError; at the start it is not waited for
    limit      most calls that may wait; more raise StoreError

    Raises StoreUnusable with the reason and the remedy.
    """
    writer = ReconnectingConnection(partial(connect, dsn), patience, await _prepared(dsn))
    free = [ReconnectingConnection(partial(connect, dsn), patience) for _ in range(readers)]
    slots = [writer, *free]
    write = BatchScheduler(partial(start_batch, Writer(writer, enqueue).run), limit, OutcomeUnknown)
    read = BatchScheduler(
        partial(start_batch, partial(run_one, free)), limit, StoreError, concurrency=readers, size=1
    )
    try:
        yield PostgresStore(write.call, read.call, reads)
    finally:
        with anyio.CancelScope(shield=True):
            await write.close()
            await read.close()
            for slot in slots:
                await slot.close()


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
