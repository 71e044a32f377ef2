"""The SQL: operations on many rows at once, each in as few statements as there can be.

Every step of a statement gives the interpreter lock away, and beside a busy event loop takes up to 5 ms to
get it back. So a thousand rows are one INSERT with a thousand rows of VALUES (18,000 rows/s beside a thread
that never rests), not an `executemany` (700 rows/s there, in batches of 200).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.store import TaskQuery
from gencode.storage.rows import (
    CALLBACK_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    PART_COLUMNS,
    TASK_COLUMNS,
    Row,
    callback_from,
    event_from,
    task_from,
    text,
)
from gencode.storage.sqlite.schema import DIGESTED, UNFINISHED

CHUNK = 1000  # rows a statement; times the columns of a task, stays below SQLite's limit of 32,766 values


def insert_tasks(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    _insert(connection, "tasks", TASK_COLUMNS, rows)


def insert_events(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    _insert(connection, "events", EVENT_COLUMNS, rows)


def insert_keys(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    _insert(connection, "keys", KEY_COLUMNS, rows)


def insert_callbacks(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    _insert(connection, "callbacks", CALLBACK_COLUMNS, rows)


def wake_callbacks(connection: sqlite3.Connection, task_ids: Sequence[str]) -> None:
    """Those of these tasks that had nothing to tell have something now."""
    wake = "UPDATE callbacks SET due = 0 WHERE due IS NULL AND NOT ended AND task_id IN ({values})"
    for chunk in _chunks([(task_id,) for task_id in task_ids]):
        _execute(connection, wake, chunk)


def note_callback(connection: sqlite3.Connection, row: Row) -> None:
    """What was committed while it was told makes it due again: else it would be forgotten."""
    task_id, _, _, _, position, failures, due, ended, reason = row
    grown = "EXISTS (SELECT 1 FROM tasks WHERE id = ?1 AND sequence > ?2)"
    connection.execute(
        "UPDATE callbacks SET position = ?2, failures = ?3, ended = ?5, reason = ?6,"  # noqa: S608 - constants
        f" due = CASE WHEN ?4 IS NULL AND NOT ?5 AND {grown} THEN 0 ELSE ?4 END WHERE task_id = ?1",
        (task_id, position, failures, due, ended, reason),
    )


def put_parts(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """A part kept again keeps its place in the order."""
    replace = " ON CONFLICT (task_id, name) DO UPDATE SET data = excluded.data"
    _insert(connection, "parts", PART_COLUMNS, rows, replace)


def update_tasks(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """How many there were to update. Ids must differ."""
    columns = ", ".join(f"{name} = new.column{n}" for n, name in enumerate(TASK_COLUMNS, start=1) if n > 1)
    update = f"UPDATE tasks SET {columns} FROM ({{values}}) AS new WHERE tasks.id = new.column1"  # noqa: S608 - constants
    return sum(_execute(connection, update, chunk).rowcount for chunk in _chunks(rows))


def known_keys(connection: sqlite3.Connection, names: Sequence[Row]) -> list[Row]:
    """(client, value, digest, task_id) of those (client, value) that are taken."""
    select = (
        "SELECT keys.client, keys.value, digest, task_id FROM ({values}) AS asked"
        " CROSS JOIN keys ON keys.client = asked.column1 AND keys.value = asked.column2"
    )
    return [row for chunk in _chunks(names) for row in _execute(connection, select, chunk)]


def find(connection: sqlite3.Connection, query: TaskQuery) -> list[Task]:
    sql, values = select_tasks(query)
    return [task_from(row) for row in connection.execute(sql, values)]


def select_tasks(query: TaskQuery) -> tuple[str, list[Any]]:
    """The statement and its values."""
    terms: dict[str, list[Any]] = {}
    if query.id is not None:
        terms["id = ?"] = [text(query.id)]
    if query.client is not None:
        terms["client = ?"] = [text(query.client)]
    if query.digest is not None:
        terms["digest = ?"] = [text(query.digest)]
        terms[DIGESTED] = []
    if query.before is not None:
        terms["id < ?"] = [text(query.before)]
    if query.statuses is not None:
        terms[f"status IN ({_marks(len(query.statuses))})"] = [status.value for status in query.statuses]
        if not any(status.is_terminal for status in query.statuses):
            terms[UNFINISHED] = []
    where = " AND ".join(terms) or "TRUE"
    sql = f"SELECT {', '.join(TASK_COLUMNS)} FROM tasks WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - constants
    return sql, [*chain.from_iterable(terms.values()), query.limit]


def events(connection: sqlite3.Connection, task_id: str, after: int) -> list[Event]:
    select = "SELECT task_id, id, kind, data FROM events WHERE task_id = ? AND id > ? ORDER BY id"
    return [event_from(row) for row in connection.execute(select, (text(task_id), after))]


def checkpoints(connection: sqlite3.Connection, task_id: str) -> dict[str, str]:
    select = "SELECT name, data FROM parts WHERE task_id = ? ORDER BY position"
    return dict(connection.execute(select, (text(task_id),)).fetchall())


def upcoming(
    connection: sqlite3.Connection, limit: int, without: Collection[str], except_hosts: Collection[str]
) -> list[Callback]:
    select = (
        f"SELECT {', '.join(CALLBACK_COLUMNS)} FROM callbacks WHERE due IS NOT NULL"  # noqa: S608 - constants
        f" AND task_id NOT IN ({_marks(len(without))}) AND host NOT IN ({_marks(len(except_hosts))})"
        " ORDER BY due LIMIT ?"
    )
    values = (*map(text, without), *map(text, except_hosts), limit)
    return [callback_from(row) for row in connection.execute(select, values)]


def callback(connection: sqlite3.Connection, task_id: str) -> Callback | None:
    select = f"SELECT {', '.join(CALLBACK_COLUMNS)} FROM callbacks WHERE task_id = ?"  # noqa: S608 - constants
    row = connection.execute(select, (text(task_id),)).fetchone()
    return callback_from(row) if row else None


def _insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Row], clause: str = ""
) -> None:
    for chunk in _chunks(rows):
        _execute(connection, f"INSERT INTO {table} ({', '.join(columns)}) {{values}}{clause}", chunk)


def _execute(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> sqlite3.Cursor:
    """Run with `{values}` standing for all rows."""
    row = f"({_marks(len(rows[0]))})"
    return connection.execute(
        sql.format(values=f"VALUES {', '.join([row] * len(rows))}"), list(chain.from_iterable(rows))
    )


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _marks(count: int) -> str:
    return ", ".join("?" * count)
