"""Imports the tables of another database into an empty one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from gencode.domain.errors import StoreUnusable
from gencode.storage.postgres import statements
from gencode.storage.postgres.connection import Connection, place
from gencode.storage.postgres.maintenance_lock import exclusive_connection, transaction
from gencode.storage.postgres.migrations import UNFINISHED_IMPORT
from gencode.storage.postgres.statements import RowsStatement
from gencode.storage.postgres.writes import Enqueue
from gencode.storage.rows import Row
from gencode.storage.table_copy import Report, RowDigests, Table, TableDigest

# ruff: noqa: S608 - only names of tables and columns are put into the texts

DIGEST_ROWS = 5000
"""Rows whose digests are read at once."""
_INSERTS: Mapping[str, RowsStatement] = {
    "requests": statements.INSERT_REQUESTS,
    "events": statements.INSERT_EVENTS,
    "checkpoints": statements.PUT_CHECKPOINTS,
    "idempotency_keys": statements.INSERT_KEYS,
    "callbacks": statements.INSERT_CALLBACKS,
    "usage_totals": statements.PUT_TOTALS,
    "tasks": statements.INSERT_TASKS,
}
_HAS_MARK = f"SELECT to_regclass('gencode.{UNFINISHED_IMPORT}') IS NOT NULL".encode()
_MARK = f"SELECT source FROM gencode.{UNFINISHED_IMPORT}".encode()
_ADD_MARK = f"CREATE TABLE gencode.{UNFINISHED_IMPORT} (source text NOT NULL)".encode()
_SET_MARK = f"INSERT INTO gencode.{UNFINISHED_IMPORT} VALUES (%s)".encode()
_REMOVE_MARK = f"DROP TABLE gencode.{UNFINISHED_IMPORT}".encode()
_PUT_KEY = (
    b"INSERT INTO gencode.signing_keys VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET key = excluded.key"
)
_SET_FORMATS = b"SET bytea_output = hex"
"""As `Table.sources` has them."""
_PUT_API_KEYS = (
    b"INSERT INTO gencode.api_keys (id, version, document) VALUES (1, 1, %s::text) ON CONFLICT DO NOTHING"
)


class Import:
    """Raises StoreUnusable with the reason and the remedy. See `open_import`."""

    def __init__(self, connection: Connection, address: str) -> None:
        self._connection = connection
        self._address = address

    async def is_begun(self, source: str) -> bool:
        """Whether an earlier import of the same is continued. `source`: identifies what is imported, and
        changes with it."""
        if not (await self._connection.fetch(_HAS_MARK))[0][0]:
            return False
        if (await self._connection.fetch(_MARK))[0][0] != source:
            raise StoreUnusable(
                f"{self._address} has a part of another DATA_DIR, or of this one before it changed: drop that"
                " database, create it anew, and try again"
            )
        return True

    async def begin(self, source: str) -> None:
        """For a database without content, see `check_empty`."""
        async with transaction(self._connection):
            await self._connection.run(_ADD_MARK)
            await self._connection.run(_SET_MARK, [source])

    async def end(self) -> None:
        await self._connection.run(_REMOVE_MARK)

    async def check_empty(self, tables: Sequence[Table], content: str) -> None:
        """`content`: what they hold, in English."""
        for table in tables:
            if await self.count(table):
                raise StoreUnusable(
                    f"{self._address} has {content} of its own: name an empty database in DATABASE_URL"
                )

    async def count(self, table: Table) -> int:
        rows = await self._connection.fetch(f"SELECT count(*) FROM {table.place}".encode())
        return int(rows[0][0])

    async def put(self, statement: RowsStatement, page: Sequence[Row]) -> None:
        """Store rows that follow those that are there."""
        async with transaction(self._connection):
            await self._connection.run_over(statement, page)

    async def run(self, sql: bytes) -> None:
        await self._connection.run(sql)

    async def put_tasks(
        self, table: Table, page: Sequence[Row], queued: Sequence[tuple[str, str]], enqueue: Enqueue
    ) -> None:
        """Store rows of a table of TABLES. `queued`: id and principal of tasks that `enqueue` gives their
        jobs, in the same transaction."""
        async with transaction(self._connection):
            await self._connection.run_over(_INSERTS[table.name], page)
            if queued:
                await enqueue(self._connection.raw, queued)

    async def put_key(self, name: str, key: bytes) -> None:
        """A signing key, in place of one that a process has made."""
        await self._connection.run(_PUT_KEY, [name, key])

    async def put_api_keys(self, document: str) -> None:
        """The API keys of `gencode keys`, unless the database has some already."""
        await self._connection.run(_PUT_API_KEYS, [document])

    async def digest(self, table: Table, report: Report) -> TableDigest:
        """The digest that gencode.storage.sqlite.table_export computes too; the rows stay in the database."""
        total, found, last = await self.count(table), RowDigests(), list[object]()
        while rows := await self._connection.fetch(_digests_after(table, bool(last)), last):
            for row in rows:
                found.add(row[-1])
            last = list(rows[-1][:-1])
            report("verified", table.name, found.rows, total)
        return found.result()


@asynccontextmanager
async def open_import(dsn: str) -> AsyncIterator[Import]:
    """While it is open, no process of the service can start on the database. `dsn`: without a pooler.

    Raises StoreUnusable, also while it is used, and where a process of the service runs.
    """
    async with exclusive_connection(dsn, is_import=True) as connection:
        await connection.run(_SET_FORMATS)
        yield Import(connection, place(dsn))


def _digests_after(table: Table, has_last: bool) -> bytes:
    """Rows: the columns of the order, and the digest of a row. Values: those columns of the row before."""
    parts = (f"coalesce(octet_length({name}::text) || ':' || {name}::text, '-')" for name in table.columns)
    order = ", ".join(table.order)
    after = f"WHERE ({order}) > ({', '.join(['%s'] * len(table.order))})" if has_last else ""
    return (
        f"SELECT {order}, sha256(convert_to({' || '.join(parts)}, 'UTF8')) FROM {table.place}"
        f" {after} ORDER BY {order} LIMIT {DIGEST_ROWS}"
    ).encode()
