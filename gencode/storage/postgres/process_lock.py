"""The lock that every process of the service holds while it runs. A process with the local forge holds it
alone, and so does a maintenance command (see `maintenance_lock`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres.lock_attempts import acquired

_LOCK = "SELECT pg_try_advisory_lock{mode}(hashtextextended('gencode local forge', 0))"


@asynccontextmanager
async def process_lock(dsn: str, has_local_forge: bool, name: str) -> AsyncIterator[None]:
    """Holds the lock. A process that has the local forge must be the only one, for the others could not reach
    the forge's repositories. `dsn`: without a pooler. `name`: of the process, which the database shows
    to others (see gencode.bootstrap.application_name). Raises StoreUnusable."""
    mode = "" if has_local_forge else "_shared"
    try:
        connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name=name)
    except psycopg.Error as error:
        raise StoreUnusable("the database cannot be reached: check DATABASE_URL") from error
    async with connection:

        async def is_locked() -> bool:
            row = await (await connection.execute(_LOCK.format(mode=mode).encode())).fetchone()
            return bool(row and row[0])

        if not await acquired(is_locked):
            raise StoreUnusable(
                "another process uses this database, and one of both has the local forge, which is for one"
                " process: set GITHUB_TOKEN or HOSTS for all of them"
            )
        yield
