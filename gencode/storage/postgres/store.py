"""A store in a PostgreSQL database.

Durability costs a flush of the database's log for each transaction; one transaction for all callers of a
process that wait shares it. Reads have connections of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gencode.storage.batch_scheduler import Outcome
from gencode.storage.postgres import reads
from gencode.storage.postgres.connection import Connection
from gencode.storage.postgres.migrations import migrate
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.postgres.schedulers import open_schedulers
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

    async def write_batch(writer: ReconnectingConnection, writes: Sequence[Any]) -> list[Outcome]:
        return await Writer(writer, enqueue).run(writes)

    async with open_schedulers(
        dsn, _prepare, write_batch, readers=readers, patience=patience, limit=limit
    ) as (write, read):
        yield PostgresStore(write.call, read.call, reads)


async def _prepare(connection: Connection) -> None:
    """Makes the tables, and checks that the database can be written to."""
    await migrate(connection.raw)
    await connection.begin()
    await connection.fetch(CHECK_WRITABLE)
    await connection.commit()
