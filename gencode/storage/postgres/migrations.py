"""Brings a database to the newest schema; one of several processes that start at once does it."""

from __future__ import annotations

from typing import Any

import psycopg

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres.schema import CREATE_SCHEMA, MIGRATIONS, VERSION

Connection = psycopg.AsyncConnection[Any]

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('gencode schema', 0))"
_HAS_VERSIONS = (
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'gencode' AND tablename = 'schema_versions')"
)
"""Not by to_regclass: it may answer from a cache that does not know what another process has just made."""
_VERSION = "SELECT coalesce(max(version), 0) FROM gencode.schema_versions"
_COUNT_TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('gencode')"


async def migrate(connection: Connection) -> None:
    """Bring the database to VERSION, or leave it as it was. The connection must be in autocommit mode.

    Raises StoreUnusable for another application's tables and a newer gencode's, and psycopg.Error.
    """
    if await _version(connection) == VERSION:  # without a right to create anything
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")  # the lock is held as long as it takes
        await connection.execute(_LOCK)
        version = await _version(connection)
        if version is None:
            await connection.execute(CREATE_SCHEMA)
        for number in range(version or 0, VERSION):
            await connection.execute(MIGRATIONS[number].encode())
            await connection.execute("INSERT INTO gencode.schema_versions VALUES (%s)", (number + 1,))


async def _version(connection: Connection) -> int | None:
    """None: there is no schema yet."""
    if not await _value(connection, _HAS_VERSIONS):
        if await _value(connection, _COUNT_TABLES):
            raise StoreUnusable(
                "the database has a schema `gencode` of another application: name another database in"
                " DATABASE_URL"
            )
        return None
    version = int(await _value(connection, _VERSION))
    if version > VERSION:
        raise StoreUnusable(
            f"the database has schema version {version}, this gencode knows {VERSION}: upgrade gencode,"
            " or restore the database of before"
        )
    return version


async def _value(connection: Connection, sql: str) -> Any:
    row = await (await connection.execute(sql.encode())).fetchone()
    return row[0] if row else None
