"""The document of the API keys that were made at run time, for all processes of a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from gencode.storage.postgres.connection import Connection, connect, place
from gencode.storage.postgres.errors import store_unusable
from gencode.storage.postgres.migrations import migrate
from gencode.storage.postgres.statement_runner import StatementRunner

_READ = b"SELECT version, document FROM gencode.api_keys"
_CHANGED = b"SELECT version, document FROM gencode.api_keys WHERE version <> %s::bigint"
_ADD = b"INSERT INTO gencode.api_keys (id, version, document) VALUES (1, 0, '') ON CONFLICT DO NOTHING"
_LOCK = b"SELECT version, document FROM gencode.api_keys FOR UPDATE"
_WRITE = b"UPDATE gencode.api_keys SET version = version + 1, document = %s::text"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyDocument:
    """`version`: rises with each change; 0 if there never was a key, with an empty text."""

    version: int
    text: str


NO_KEYS = KeyDocument(version=0, text="")


async def read_keys(dsn: str) -> KeyDocument:
    """Makes the tables if they are missing. Raises StoreUnusable."""
    async with _connected(dsn) as connection:
        rows = await connection.fetch(_READ)
    return KeyDocument(version=rows[0][0], text=rows[0][1]) if rows else NO_KEYS


async def change_keys(dsn: str, change: Callable[[str], str]) -> KeyDocument:
    """Replace the text by what `change` returns, one caller at a time. Raises StoreUnusable and what `change`
    raises; nothing is changed then."""
    async with _connected(dsn) as connection:
        await connection.begin()
        await connection.run(_ADD)
        version, text = (await connection.fetch(_LOCK))[0]
        changed = change(text)
        if changed != text:
            version += await connection.run(_WRITE, (changed,))
        await connection.commit()
    return KeyDocument(version=version, text=changed)


async def keys_if_changed(statements: StatementRunner, known: KeyDocument) -> KeyDocument:
    """The newest document. Raises StoreError."""
    rows = await statements.fetch(_CHANGED, (known.version,))
    return KeyDocument(version=rows[0][0], text=rows[0][1]) if rows else known


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Connection]:
    """A connection to a database with the tables."""
    try:
        connection = await connect(dsn)
        try:
            await migrate(connection.raw)
            yield connection
        finally:
            await connection.close()
    except psycopg.Error as error:
        raise store_unusable(place(dsn), error) from error
