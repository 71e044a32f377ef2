"""Brings a database to the newest schema; one of several processes that start at once does it."""

from __future__ import annotations

from typing import Any

import psycopg

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres.lock_attempts import acquired
from gencode.storage.postgres.schema import CREATE_SCHEMA, MIGRATIONS, VERSION
from gencode.storage.rows import Row

Connection = psycopg.AsyncConnection[Any]

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('gencode schema', 0))"
UNFINISHED_IMPORT = "unfinished_import"
"""A table that exists until `gencode migrate` has ended, see `table_import`."""

_COUNT_TABLES = (
    "SELECT count(*), count(*) FILTER (WHERE relname = 'schema_versions'),"
    " count(*) FILTER (WHERE relname = 'unfinished_import')"
    " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = 'gencode'"
)
_IS_UNUSED = "SELECT pg_try_advisory_xact_lock(hashtextextended('gencode local forge', 0))"
"""Every process of the service shares this lock, see `process_lock`."""
_VERSION = "SELECT coalesce(max(version), 0) FROM gencode.schema_versions"


async def migrate(connection: Connection, *, is_import: bool = False) -> None:
    """Bring the database to VERSION, or leave it as it was. The connection must be in autocommit mode.

    is_import   whether it is for an import, and an earlier one need not have ended

    Raises StoreUnusable for another application's tables and a newer gencode's, and psycopg.Error.
    """
    if await stored_version(connection, is_import) == VERSION:  # without a right to create anything
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")  # the lock is held as long as it takes
        await connection.execute(_LOCK)
        version = await stored_version(connection, is_import)
        if version is None:
            await connection.execute(CREATE_SCHEMA)
        elif version < VERSION:
            await _check_unused(connection, version)
        for number in range(version or 0, VERSION):
            await connection.execute(MIGRATIONS[number].encode())
            await connection.execute("INSERT INTO gencode.schema_versions VALUES (%s)", (number + 1,))


async def _check_unused(connection: Connection, version: int) -> None:
    """Processes of an older version cannot use the migrated tables."""

    async def is_unused() -> bool:
        return bool((await _row(connection, _IS_UNUSED))[0])

    if not await acquired(is_unused):
        raise StoreUnusable(
            f"the database has schema version {version}, this gencode needs {VERSION}, and other processes"
            " use it: stop all of them, and start this version then"
        )


async def stored_version(connection: Connection, is_import: bool = False) -> int | None:
    """None: there is no schema yet. Raises StoreUnusable, see `migrate`."""
    tables, has_versions, is_partial = await _row(connection, _COUNT_TABLES)
    if not tables:
        return None
    if not has_versions:
        raise StoreUnusable(
            "the database has a schema `gencode` of another application: name another database in"
            " DATABASE_URL"
        )
    if is_partial and not is_import:
        raise StoreUnusable(
            "the database has a part of a DATA_DIR only: run gencode migrate again, which goes on where it"
            " ended"
        )
    (version,) = await _row(connection, _VERSION)
    if version > VERSION:
        raise StoreUnusable(
            f"the database has schema version {version}, this gencode knows {VERSION}: upgrade gencode,"
            " or restore the database of before"
        )
    return int(version)


async def _row(connection: Connection, sql: str) -> Row:
    row: Row | None = await (await connection.execute(sql.encode())).fetchone()
    return row or ()
