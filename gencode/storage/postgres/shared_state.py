"""State that the processes of a database share: signing keys, and the lock of the local forge."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psycopg

from gencode.domain.errors import StoreUnusable

KEY_BYTES = 32
_ADD_KEY = "INSERT INTO gencode.signing_keys VALUES (%s, %s) ON CONFLICT DO NOTHING"
_KEY = "SELECT key FROM gencode.signing_keys WHERE name = %s"
_LOCK = "SELECT pg_try_advisory_lock{mode}(hashtextextended('gencode local forge', 0))"


async def shared_keys(dsn: str, names: Iterable[str]) -> dict[str, bytes]:
    """KEY_BYTES secret bytes by name, created on first use. Raises StoreUnusable."""
    keys = {}
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            for name in names:
                await connection.execute(_ADD_KEY, (name, secrets.token_bytes(KEY_BYTES)))
                row = await (await connection.execute(_KEY, (name,))).fetchone()
                keys[name] = bytes(row[0]) if row else b""
    except psycopg.Error as error:
        raise StoreUnusable("the signing keys cannot be read from the database") from error
    return keys


@asynccontextmanager
async def forge_lock(dsn: str, has_local_forge: bool, name: str) -> AsyncIterator[None]:
    """Held while a process runs: one that has the local forge must be the only one, for the others could not
    reach the forge's repositories. `dsn`: without a pooler. `name`: of the process, which the database shows
    to others (see gencode.bootstrap.application_name). Raises StoreUnusable."""
    mode = "" if has_local_forge else "_shared"
    try:
        connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name=name)
    except psycopg.Error as error:
        raise StoreUnusable("the database cannot be reached: check DATABASE_URL") from error
    async with connection:
        row = await (await connection.execute(_LOCK.format(mode=mode).encode())).fetchone()
        if not row or not row[0]:
            raise StoreUnusable(
                "another process uses this database, and one of both has the local forge, which is for one"
                " process: set GITHUB_TOKEN or HOSTS for all of them"
            )
        yield
