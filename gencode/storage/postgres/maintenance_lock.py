"""Locks all processes of the service out of a database while a command changes its tables or owners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import psycopg

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import store_unusable
from gencode.storage.postgres.lock_attempts import acquired
from gencode.storage.postgres.migrations import migrate

_LOCK = b"SELECT pg_try_advisory_lock(hashtextextended('gencode local forge', 0))"
"""Every process of the service shares it, see `process_lock`."""


@asynccontextmanager
async def exclusive_connection(dsn: str, *, is_import: bool = False) -> AsyncIterator[Connection]:
    """A connection to a database of the newest schema. While it is open, no process of the service can start.

    dsn         without a pooler
    is_import   see `migrate`

    Raises StoreUnusable, also while it is used, and where a process of the service runs.
    """
    with _explained(dsn):
        connection = await connect(dsn)
        try:
            if not await acquired(partial(_is_locked, connection)):
                raise StoreUnusable(
                    f"processes of gencode use {place(dsn)}: stop them, and start them when this has ended"
                )
            await migrate(connection.raw, is_import=is_import)
            yield connection
        finally:
            await connection.close()


async def _is_locked(connection: Connection) -> bool:
    return bool((await connection.fetch(_LOCK))[0][0])


@asynccontextmanager
async def transaction(connection: Connection, *, is_kept: bool = True) -> AsyncIterator[None]:
    """`is_kept`: whether what it changes is stored."""
    await connection.begin()
    try:
        yield
        await (connection.commit() if is_kept else connection.roll_back())
    except BaseException:
        await connection.roll_back()
        raise


@contextmanager
def _explained(dsn: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise store_unusable(place(dsn), error) from error
