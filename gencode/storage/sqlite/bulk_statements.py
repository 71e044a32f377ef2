"""Runs one statement over many rows.

Every step of a statement releases the interpreter lock, and beside a busy event loop it takes up to 5 ms to
get it back. So a thousand rows are one INSERT with a thousand rows of VALUES (18,000 rows/s beside a thread
that never rests), not an `executemany` (700 rows/s there, in batches of 200).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Any

from gencode.storage.rows import Row

CHUNK = 1000  # rows a statement; times the columns of a task, stays below SQLite's limit of 32,766 values
PAGE_ROWS = 500
PAGE_CHARACTERS = 262_144


def write_values(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> int:
    """Run `sql` with `{values}` standing for all rows; returns how many rows it changed."""
    return sum(_execute(connection, sql, chunk).rowcount for chunk in _chunks(rows))


def read_values(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> list[Row]:
    """What `sql`, with `{values}` standing for all rows, selects."""
    return [row for chunk in _chunks(rows) for row in _execute(connection, sql, chunk)]


def read_page(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> tuple[list[Row], bool]:
    """The first rows that `sql` selects, and whether there are no more.

    A page ends after PAGE_ROWS, or once its last columns have PAGE_CHARACTERS: a long log does not occupy the
    connection for longer.
    """
    rows: list[Row] = []
    size = 0
    with closing(connection.execute(sql, values)) as cursor:  # an open one would block WAL checkpoints
        for row in cursor:
            rows.append(row)
            size += len(row[-1])
            if len(rows) >= PAGE_ROWS or size >= PAGE_CHARACTERS:
                return rows, False
    return rows, True


def _execute(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> sqlite3.Cursor:
    row = f"({', '.join('?' * len(rows[0]))})"
    values = f"VALUES {', '.join([row] * len(rows))}"
    return connection.execute(sql.format(values=values), list(chain.from_iterable(rows)))


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
