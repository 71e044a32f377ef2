"""Reads whole tables of a database without a writer."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gencode.storage.rows import Row
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.errors import store_unusable
from gencode.storage.sqlite.schema import migrate
from gencode.storage.table_copy import TABLES, Report, RowDigests, Table, TableDigest

# ruff: noqa: S608 - only names of tables and columns are put into the texts

REPORT_ROWS = 10_000


class SQLiteTables:
    """See `open_tables`."""

    def __init__(self, connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
        self._connection = connection
        self._tables = tables

    def count(self, table: Table) -> int:
        (rows,) = self._connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
        return int(rows)

    def rows(self, table: Table, skipped: int = 0) -> Iterator[Row]:
        """The rows in the table's order, without the first `skipped` ones."""
        columns = ", ".join(table.sources.get(name, name) for name in table.columns)
        order = ", ".join(table.order)
        sql = f"SELECT {columns} FROM {table.name} ORDER BY {order} LIMIT -1 OFFSET ?"
        yield from self._connection.execute(sql, (skipped,))

    def digests(self, escape: Callable[[str], str], report: Report) -> dict[str, TableDigest]:
        """The digest of each table, by its name. `escape`: how the other database stores a text."""
        return {table.name: self._digest(table, escape, report) for table in self._tables}

    def _digest(self, table: Table, escape: Callable[[str], str], report: Report) -> TableDigest:
        total, found = self.count(table), RowDigests()
        for row in self.rows(table):
            if found.rows % REPORT_ROWS == 0:
                report("read", table.name, found.rows, total)
            found.add(_row_digest(row, escape))
        report("read", table.name, total, total)
        return found.result()


@contextmanager
def open_tables(
    path: Path,
    tables: Sequence[Table] = TABLES,
    prepare: Callable[[sqlite3.Connection], None] = migrate,
) -> Iterator[SQLiteTables]:
    """The tables of this file, brought to the newest schema by `prepare`. The caller holds the lock of the
    folder.

    Raises StoreUnusable, also while they are read.
    """
    with closing(connect(path, 5, prepare)) as connection:
        try:
            yield SQLiteTables(connection, tables)
        except sqlite3.Error as error:
            raise store_unusable(path, error) from error


def _row_digest(row: Row, escape: Callable[[str], str]) -> bytes:
    """The digest that gencode.storage.postgres.table_import has the database compute."""
    return hashlib.sha256(b"".join([_part(value, escape) for value in row])).digest()


def _part(value: str | int | None, escape: Callable[[str], str]) -> bytes:
    if value is None:
        return b"-"
    text = (escape(value) if isinstance(value, str) else str(value)).encode()
    return b"%d:%b" % (len(text), text)
