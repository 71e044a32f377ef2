"""Counts submissions in moving windows, over all processes of a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
import psycopg

from gencode.domain.errors import StoreError
from gencode.engine.ports.rate_window import Spent
from gencode.storage.batch_scheduler import BatchScheduler, Outcome
from gencode.storage.postgres.connection import Connection, connect
from gencode.storage.postgres.errors import store_error
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.postgres.statement_runner import start_batch

PATIENCE = 1.0
"""Seconds that a submission waits for an unreachable database."""
MAX_WAITING = 10_000

_SPEND = b"""
SELECT spent.allowed, spent.used, spent.reset
FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS wanted (name, amount, seconds),
    LATERAL gencode.spend_rate(wanted.name, wanted.amount, wanted.seconds) AS spent
"""

Submission = tuple[str, int, int]
"""Name, amount and seconds, see RateWindow.spend."""


class PostgresRateWindow:
    """See RateWindow. All submissions that wait are counted by one statement. The connection is opened for
    the first one."""

    def __init__(self, dsn: str) -> None:
        self._connection = ReconnectingConnection(partial(connect, dsn), PATIENCE)
        self._scheduler = BatchScheduler(partial(start_batch, self._run), MAX_WAITING, StoreError)

    async def spend(self, name: str, amount: int, seconds: int) -> Spent:
        spent: Spent = await self._scheduler.call((name, amount, seconds))
        return spent

    async def close(self) -> None:
        await self._scheduler.close()
        await self._connection.close()

    async def _run(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Counts in the order of the names, so that processes that count the same names cannot deadlock."""
        order = sorted(range(len(submissions)), key=lambda place: submissions[place][0])
        outcomes: dict[int, Outcome] = {}

        async def spend(connection: Connection) -> None:
            columns = zip(*(submissions[place] for place in order), strict=True)
            rows = await connection.fetch(_SPEND, [list(column) for column in columns])
            for place, (allowed, used, reset) in zip(order, rows, strict=True):
                left = submissions[place][1] - used
                spent = Spent(allowed=allowed, remaining=max(left, 0), reset=reset)
                outcomes[place] = Outcome(value=spent)

        try:
            await self._connection.use(spend)
        except psycopg.Error as error:
            return [Outcome(error=store_error(error)) for _ in submissions]
        return [outcomes[place] for place in range(len(submissions))]


@asynccontextmanager
async def open_rate_window(dsn: str) -> AsyncIterator[PostgresRateWindow]:
    window = PostgresRateWindow(dsn)
    try:
        yield window
    finally:
        with anyio.CancelScope(shield=True):
            await window.close()
