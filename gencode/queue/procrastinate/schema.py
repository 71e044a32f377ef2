"""The tables of the queue: procrastinate's, in the search path's first schema, and the start tags."""

from __future__ import annotations

from typing import Any

import psycopg
from procrastinate.schema import SchemaManager

from gencode.domain.errors import StoreUnusable

PROCRASTINATE = "3.10"
"""The release whose schema is applied. Its migrations are plain files without a table of versions."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('gencode queue schema', 0))"
_HAS_JOBS = (
    "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'procrastinate_jobs' AND pg_table_is_visible(oid))"
)
_HAS_VERSIONS = (
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'gencode' AND tablename = 'queue_versions')"
)
"""It does not use to_regclass, whose cache may not know what another process has just made."""
_VERSION = "SELECT procrastinate FROM gencode.queue_versions ORDER BY applied_at DESC LIMIT 1"
_CREATE = """
CREATE TABLE gencode.queue_versions (
    procrastinate text PRIMARY KEY,
    applied_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE gencode.queue_turns (
    principal text COLLATE "C" PRIMARY KEY,
    turn      bigint NOT NULL,
    taken     bigint NOT NULL  -- turns that the last accept took
);
"""


async def migrate_queue(dsn: str) -> None:
    """Make the tables if they are missing; the store has made its own by then. Raises StoreUnusable."""
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            if not await is_current(connection):
                async with connection.transaction():
                    await connection.execute(_LOCK)
                    if not await is_current(connection):
                        await _check_free(connection)
                        await _create(connection)
    except psycopg.Error as error:
        raise StoreUnusable("the queue's tables cannot be made: see the log of PostgreSQL") from error


async def is_current(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Raises StoreUnusable for tables that this version must not use."""
    if not await _value(connection, _HAS_VERSIONS):
        return False
    version = await _value(connection, _VERSION)
    if version != PROCRASTINATE:
        raise StoreUnusable(
            f"the queue has the tables of procrastinate {version}, this gencode knows {PROCRASTINATE}: run"
            " the same version of gencode everywhere"
        )
    return True


async def _check_free(connection: psycopg.AsyncConnection[Any]) -> None:
    """The caller has the lock: without it, the tables may be those that another process makes right now."""
    if await _value(connection, _HAS_JOBS):
        raise StoreUnusable(
            "the database has the tables of procrastinate already, for another application: name another"
            " database in DATABASE_URL"
        )


async def _create(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute(SchemaManager.get_schema())
    await connection.execute(_CREATE)
    await connection.execute("INSERT INTO gencode.queue_versions VALUES (%s)", (PROCRASTINATE,))


async def _value(connection: psycopg.AsyncConnection[Any], sql: str) -> Any:
    row = await (await connection.execute(sql.encode())).fetchone()
    return row[0] if row else None
