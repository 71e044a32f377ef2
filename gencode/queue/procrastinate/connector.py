"""procrastinate's connections to the database. A lost one costs an attempt, not the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import anyio
import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg import sql
from psycopg_pool import PoolTimeout

log = structlog.get_logger(__name__)

CONNECTIONS = 5
"""Most connections of a process to the queue's tables, beside the one that listens: for fetching and ending
jobs, counting, and job recovery."""
ATTEMPTS = 3
"""How often a statement is tried when its connection is lost."""
LISTEN_SECONDS = 30.0
"""Seconds without a notification after which the listening connection is tested."""
LISTEN_AGAIN_SECONDS = 1.0
"""Seconds until the next attempt to listen. Meanwhile the table of jobs is polled, see
WorkerTimeouts.poll."""

_PARAMETERS = {
    "prepare_threshold": None,
    "application_name": "gencode queue",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""No statements are prepared, because of transaction poolers. TCP keepalives detect a vanished peer."""

OnNotification = Callable[..., Awaitable[None]]


class QueueConnector(PsycopgConnector):
    """Procrastinate's connector with connections of its own: a worker that finds none left is ended by
    procrastinate.

    Each statement is a transaction: a process that is stopped (SIGSTOP) between two of them holds no lock.
    One whose connection is lost is repeated, although it may have taken effect: a job that was fetched twice
    is found by job recovery, and a job that has ended cannot end again.

    dsn      the address of the database, perhaps through a pooler
    direct   the address of the same database without a pooler, to listen
    """

    def __init__(self, dsn: str, direct: str) -> None:
        super().__init__(
            conninfo=dsn,
            min_size=1,
            max_size=CONNECTIONS,
            configure=_commit_each_statement,
            kwargs=_PARAMETERS,
        )
        self._direct = direct

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        await _repeated(partial(super().execute_query_async, query, **arguments))

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        row: dict[str, Any] = await _repeated(partial(super().execute_query_one_async, query, **arguments))
        return row

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = await _repeated(
            partial(super().execute_query_all_async, query, **arguments)
        )
        return rows

    async def listen_notify(self, on_notification: OnNotification, channels: Iterable[str]) -> None:
        """Listens until cancelled, and connects again after each loss."""
        while True:
            try:
                await self._listen(on_notification, channels)
            except psycopg.Error as error:
                log.info("new jobs are looked for, not notified, at the moment", reason=type(error).__name__)
            await anyio.sleep(LISTEN_AGAIN_SECONDS)

    async def _listen(self, on_notification: OnNotification, channels: Iterable[str]) -> None:
        connecting = psycopg.AsyncConnection.connect(self._direct, autocommit=True, **_PARAMETERS)  # type: ignore[arg-type]
        async with await connecting as connection:
            for channel in channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            while True:
                async for notify in connection.notifies(timeout=LISTEN_SECONDS):
                    await on_notification(channel=notify.channel, payload=notify.payload)
                await connection.execute("SELECT 1")


async def _commit_each_statement(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)


async def _repeated(run: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(ATTEMPTS - 1):
        try:
            return await run()
        except ConnectorException as error:
            if not _is_lost(error.__cause__):
                raise
    return await run()


def _is_lost(cause: BaseException | None) -> bool:
    """Whether the connection was lost. A timeout of the pool (no connection for 30 s) does not count."""
    return isinstance(cause, psycopg.OperationalError) and not isinstance(cause, PoolTimeout)
