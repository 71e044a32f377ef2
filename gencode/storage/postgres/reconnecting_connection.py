"""A connection that is opened again after it was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import psycopg
import structlog

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres.connection import Connection
from gencode.storage.postgres.errors import detail

log = structlog.get_logger(__name__)

FIRST_DELAY, LAST_DELAY = 0.05, 1.0
"""Seconds between two attempts to connect, which double."""


class ReconnectingConnection:
    """Used by one transaction at a time.

    connect    opens a connection
    patience   seconds that a transaction waits for an unreachable database. While it stays unreachable,
               later transactions try once and fail immediately
    first      an open connection
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], patience: float, first: Connection | None = None
    ) -> None:
        self._connect = connect
        self._patience = patience
        self._connection = first
        self._is_away = False

    async def use(self, run: Callable[[Connection], Awaitable[object]]) -> Connection:
        """Call `run` with the connection; once more with a new one if it had been lost while idle.

        Raises psycopg.Error.
        """
        was_open = self._connection is not None
        connection = await self._get()
        try:
            with connection.limited():
                await run(connection)
        except psycopg.Error:
            if not (was_open and connection.is_lost):
                raise
            connection = await self._get()
            with connection.limited():
                await run(connection)
        return connection

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _get(self) -> Connection:
        """An open connection, which may have been lost unnoticed."""
        if self._connection is None or self._connection.is_lost:
            self._connection = await self._connect_again()
        return self._connection

    async def _connect_again(self) -> Connection:
        delay, end = FIRST_DELAY, anyio.current_time() + (0 if self._is_away else self._patience)
        while True:
            try:
                connection = await self._connect()
            except psycopg.Error as error:
                if anyio.current_time() + delay > end:
                    self._note(error)
                    raise
            except StoreUnusable as error:
                raise psycopg.OperationalError(error.message) from error
            else:
                self._note(None)
                return connection
            await anyio.sleep(delay)
            delay = min(delay * 2, LAST_DELAY)

    def _note(self, error: psycopg.Error | None) -> None:
        if error and not self._is_away:
            log.warning("the database cannot be reached", reason=detail(error))
        elif self._is_away and not error:
            log.info("the database can be reached again")
        self._is_away = error is not None
