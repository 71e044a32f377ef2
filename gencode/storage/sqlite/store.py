"""A store in one SQLite file.

Durability costs an fsync for each transaction; one transaction for all callers that wait shares it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from gencode.storage.batch_scheduler import ThreadScheduler
from gencode.storage.row_store import RowStore
from gencode.storage.sqlite import reads
from gencode.storage.sqlite.connection import SEVERAL_CONNECTIONS_SQLITE, connect, connect_reader
from gencode.storage.sqlite.reads import Read
from gencode.storage.sqlite.writes import run_read, run_writes
from gencode.storage.write_requests import Write


class SQLiteStore(RowStore):
    """See `open_sqlite`."""


@asynccontextmanager
async def open_sqlite(
    path: Path, *, busy_timeout: float = 5.0, limit: int = 10_000, second_connection: bool | None = None
) -> AsyncIterator[SQLiteStore]:
    """The store in this file, made if missing; its folder must exist. Leaving waits for running calls.

    busy_timeout        seconds to wait for a lock that another program holds on the file
    limit               most calls that may wait for the disk; more raise StoreError
    second_connection   whether reads have a connection and a thread of their own; None: where this version of
                        SQLite allows it. Otherwise they alternate with the writes in one thread

    Raises StoreUnusable with the reason and the remedy.
    """
    if second_connection is None:
        second_connection = sqlite3.sqlite_version_info >= SEVERAL_CONNECTIONS_SQLITE
    async with _open(partial(connect, path, busy_timeout), "sqlite", limit) as writer:
        if not second_connection:
            yield SQLiteStore(writer.write, writer.read, reads)
            return
        async with _open(partial(connect_reader, path, busy_timeout), "sqlite-reads", limit) as reader:
            yield SQLiteStore(writer.write, reader.read, reads)


@asynccontextmanager
async def _open(
    connect: Callable[[], sqlite3.Connection], name: str, limit: int
) -> AsyncIterator[ThreadScheduler[Write, Read]]:
    """A connection on a thread of its own."""
    call = asyncio.get_running_loop().run_in_executor
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as thread:
        with anyio.CancelScope(shield=True):
            connection = await call(thread, connect)
        scheduler: ThreadScheduler[Write, Read] = ThreadScheduler(
            partial(run_writes, connection), partial(run_read, connection), thread, limit
        )
        try:
            yield scheduler
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await scheduler.close()
                finally:
                    await call(thread, connection.close)
