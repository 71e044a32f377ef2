"""The connections of a store, and the schedulers of its calls: one for writes, several for reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import psycopg

from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.storage.batch_scheduler import BatchScheduler, Outcome
from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import store_unusable
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.postgres.statement_runner import run_one, start_batch

WriteBatch = Callable[[ReconnectingConnection, Sequence[Any]], Coroutine[Any, Any, list[Outcome]]]
"""Runs writes over the connection; returns an outcome for each."""


@asynccontextmanager
async def open_schedulers(
    dsn: str,
    prepare: Callable[[Connection], Awaitable[None]],
    write_batch: WriteBatch,
    *,
    readers: int,
    patience: float,
    limit: int,
    batch_size: int | None = None,
) -> AsyncIterator[tuple[BatchScheduler, BatchScheduler]]:
    """For writes and for reads. Leaving waits for running calls.

    prepare      makes or checks the tables
    readers      most connections for reads; one more is for writes
    patience     seconds that calls wait for an unreachable database before StoreError; the start does not
    limit        most calls that may wait; more raise StoreError
    batch_size   most writes in a batch; None: MAX_BATCH

    Raises StoreUnusable.
    """
    writer = ReconnectingConnection(partial(connect, dsn), patience, await prepared_connection(dsn, prepare))
    free = [ReconnectingConnection(partial(connect, dsn), patience) for _ in range(readers)]
    slots = [writer, *free]
    run_writes = partial(start_batch, partial(write_batch, writer))
    write = BatchScheduler(run_writes, limit, OutcomeUnknown, size=batch_size)
    run_reads = partial(start_batch, partial(run_one, free))
    read = BatchScheduler(run_reads, limit, StoreError, concurrency=readers, size=1)
    try:
        yield write, read
    finally:
        with anyio.CancelScope(shield=True):
            await write.close()
            await read.close()
            for slot in slots:
                await slot.close()


async def prepared_connection(dsn: str, prepare: Callable[[Connection], Awaitable[None]]) -> Connection:
    """An open connection to the prepared database. Raises StoreUnusable."""
    try:
        connection = await connect(dsn)
        try:
            await prepare(connection)
        except BaseException:
            await connection.close()
            raise
    except psycopg.Error as error:
        raise store_unusable(place(dsn), error) from error
    return connection
