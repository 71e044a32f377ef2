"""The signing keys, which all processes of a database share."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import psycopg

from gencode.domain.errors import StoreUnusable

KEY_BYTES = 32
_ADD_KEY = "INSERT INTO gencode.signing_keys VALUES (%s, %s) ON CONFLICT DO NOTHING"
_KEY = "SELECT key FROM gencode.signing_keys WHERE name = %s"


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
