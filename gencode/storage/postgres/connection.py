"""One connection to the database: opens, uses and discards it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres import array_parameters
from gencode.storage.postgres.statements import RowsStatement
from gencode.storage.postgres.text_escaping import escape, unescape_row
from gencode.storage.rows import Row

OLDEST_SERVER = 130_000  # as `server_version_num`
TRANSACTION_SECONDS = 60.0
"""Seconds after which a connection is discarded, whatever it does: the server or the network hangs."""

_LIMITS = "SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '5s'"
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    f"{_LIMITS}; SET LOCAL idle_in_transaction_session_timeout = '10s'"
)
"""Set for the transaction only, because of transaction poolers. A process that was stopped within a
transaction keeps its locks no longer than the last of these timeouts."""

_SERVER = (
    b"SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
    b" current_setting('synchronous_commit')"
)
_DEFAULTS: Mapping[str, Any] = {
    "application_name": "gencode",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class Connection:
    """Texts are escaped on the way to the database and back. Raises psycopg.Error."""

    def __init__(self, raw: psycopg.AsyncConnection[Any], begin: str) -> None:
        self.raw = raw
        self._begin = begin
        self._cursor = raw.cursor(binary=True)
        array_parameters.register(self._cursor)

    @property
    def is_lost(self) -> bool:
        return self.raw.closed

    async def fetch(self, sql: bytes, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Run a statement that returns rows."""
        await self._cursor.execute(sql, _escaped(values))
        return [unescape_row(row) for row in await self._cursor.fetchall()]

    async def run(self, sql: bytes, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        await self._cursor.execute(sql, _escaped(values))
        return self._cursor.rowcount

    async def fetch_over(self, statement: RowsStatement, rows: Sequence[Row]) -> list[Row]:
        """Run a statement over all these rows; returns its result rows."""
        found: list[Row] = []
        for chunk in array_parameters.chunks(rows):
            found += await self.fetch(statement.sql, array_parameters.columns(chunk, statement.types))
        return found

    async def run_over(self, statement: RowsStatement, rows: Sequence[Row]) -> None:
        for chunk in array_parameters.chunks(rows):
            await self._cursor.execute(statement.sql, array_parameters.columns(chunk, statement.types))

    async def begin(self) -> None:
        await self.raw.execute(self._begin.encode())

    async def commit(self) -> None:
        """Also fails if an error of the transaction was suppressed."""
        cursor = await self.raw.execute("COMMIT")
        if cursor.statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction("the database rolled back")

    async def roll_back(self) -> None:
        """The connection is discarded if that fails."""
        try:
            if not self.is_lost:
                await self.raw.execute("ROLLBACK")
        except psycopg.Error:
            await self.close()

    async def close(self) -> None:
        with suppress(psycopg.Error):
            await self.raw.close()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """What takes longer than TRANSACTION_SECONDS fails as if the connection was lost."""
        timer = asyncio.get_running_loop().call_later(TRANSACTION_SECONDS, self._cut)
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        """If only the socket was closed, the coroutine that waits for it would never resume."""
        if not self.is_lost:
            with suppress(OSError), socket.socket(fileno=os.dup(self.raw.fileno())) as shared:
                shared.shutdown(socket.SHUT_RDWR)


async def connect(dsn: str) -> Connection:
    """Raises psycopg.Error, and StoreUnusable for a server that cannot be used.

    No prepared statements and no session settings: behind a transaction pooler (PgBouncer), each
    transaction may be another session.
    """
    raw = await psycopg.AsyncConnection.connect(
        **{**_DEFAULTS, **_parameters(dsn)}, autocommit=True, prepare_threshold=None
    )
    try:
        return Connection(raw, await _checked(raw))
    except BaseException:
        await raw.close()
        raise


def place(dsn: str) -> str:
    """The database's address without a user and a password. Raises StoreUnusable."""
    known = _parameters(dsn)
    host, port = known.get("host") or known.get("hostaddr") or "local socket", known.get("port", "5432")
    return f"{host}:{port}/{known.get('dbname', '')}"


def _parameters(dsn: str) -> dict[str, Any]:
    try:
        return {name: value for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.Error:  # it may quote the password
        raise StoreUnusable(
            "DATABASE_URL cannot be read: write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with"
            " special characters of the password as %XX"
        ) from None


async def _checked(raw: psycopg.AsyncConnection[Any]) -> str:
    """The text that begins a transaction."""
    row = await (await raw.execute(_SERVER)).fetchone()
    version, encoding, synchronous_commit = row or (0, "", "")
    if version < OLDEST_SERVER:
        raise StoreUnusable(f"PostgreSQL {version // 10_000} is too old: {OLDEST_SERVER // 10_000} is needed")
    if encoding != "UTF8":
        raise StoreUnusable(
            f"the database has the encoding {encoding}: create it anew, by CREATE DATABASE gencode"
            " ENCODING 'UTF8' TEMPLATE template0"
        )
    return f"{_BEGIN}; SET LOCAL synchronous_commit = on" if synchronous_commit == "off" else _BEGIN


def _escaped(values: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
    if isinstance(values, Mapping):
        return {name: _escaped_value(value) for name, value in values.items()}
    return [_escaped_value(value) for value in values]


def _escaped_value(value: Any) -> Any:
    """Arrays escape their texts themselves."""
    return escape(value) if type(value) is str else value
