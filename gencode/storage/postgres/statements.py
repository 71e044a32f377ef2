"""The SQL text. `{rows}` stands for the rows of a statement, which are sent as one array for each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gencode.storage.postgres.schema import column_types
from gencode.storage.rows import (
    CALLBACK_COLUMNS,
    CHANGING_COLUMNS,
    CHECKPOINT_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    REQUEST_COLUMNS,
    TASK_COLUMNS,
)
from gencode.storage.task_query_sql import UNFINISHED
from gencode.storage.usage_totals import TOTAL_COLUMNS, TOTAL_KEY

# ruff: noqa: S608 - only constants are put into the texts


@dataclass(frozen=True, slots=True)
class RowsStatement:
    """A statement over many rows. `types`: of their columns."""

    sql: bytes
    types: Sequence[str]


def _over_rows(sql: str, table: str, columns: tuple[str, ...]) -> RowsStatement:
    types = column_types(table, columns)
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    return RowsStatement(sql.replace("{rows}", f"unnest({arrays})").encode(), types)


def _insert(table: str, columns: tuple[str, ...], rest: str = "") -> RowsStatement:
    sql = f"INSERT INTO gencode.{table} ({', '.join(columns)}) SELECT * FROM {{rows}}{rest}"
    return _over_rows(sql, table, columns)


INSERT_TASKS = _insert("tasks", TASK_COLUMNS)
INSERT_REQUESTS = _insert("requests", REQUEST_COLUMNS)
INSERT_EVENTS = _insert("events", EVENT_COLUMNS)
INSERT_CALLBACKS = _insert("callbacks", CALLBACK_COLUMNS)

INSERT_KEYS = _insert("idempotency_keys", KEY_COLUMNS, " ON CONFLICT DO NOTHING RETURNING principal, value")
"""Waits for other processes that are about to commit one of the keys."""

PUT_CHECKPOINTS = _over_rows(
    "INSERT INTO gencode.checkpoints (task_id, name, data)"
    " SELECT task_id, name, data FROM {rows} WITH ORDINALITY AS new(task_id, name, data, place)"
    " ORDER BY place ON CONFLICT (task_id, name) DO UPDATE SET data = excluded.data",
    "checkpoints",
    CHECKPOINT_COLUMNS,
)
"""One that is stored again keeps its place in the order. Names differ within a task."""

_NEW_COLUMNS = ("id", "version", *(f"new_{name}" for name in CHANGING_COLUMNS))
_CHANGES = ", ".join(f"{name} = new.new_{name}" for name in CHANGING_COLUMNS)
UPDATE_TASKS = _over_rows(
    f"WITH new AS (SELECT * FROM {{rows}} AS new({', '.join(_NEW_COLUMNS)})),"
    " old AS (SELECT id, state FROM gencode.tasks WHERE id IN (SELECT id FROM new)"
    " ORDER BY id FOR NO KEY UPDATE)"
    f" UPDATE gencode.tasks SET {_CHANGES} FROM new JOIN old ON old.id = new.id"
    " WHERE tasks.id = new.id AND tasks.version = new.version RETURNING tasks.id, old.state",
    "tasks",
    ("id", "version", *CHANGING_COLUMNS),
)
"""Rows: id, the version that must be stored, CHANGING_COLUMNS; ids differ. A stale row changes nothing.

Returns the id and the former state of what was changed. All processes lock tasks in one order, so that they
cannot deadlock."""

MAKE_CALLBACKS_DUE = _over_rows(
    "UPDATE gencode.callbacks SET due = 0"
    " WHERE due IS NULL AND ended = 0 AND task_id IN (SELECT * FROM {rows})",
    "callbacks",
    ("task_id",),
)

CLAIM_CALLBACK = (
    b"UPDATE gencode.callbacks SET due = %s"
    b" WHERE task_id = %s AND position = %s AND failures = %s AND due = %s AND ended = 0"
)

SAVE_CALLBACK = b"""
WITH task AS (SELECT sequence FROM gencode.tasks WHERE id = %(task_id)s FOR SHARE)
UPDATE gencode.callbacks SET position = %(position)s, failures = %(failures)s, ended = %(ended)s,
    reason = %(reason)s, due = CASE WHEN %(due)s::bigint IS NULL AND %(ended)s = 0
    AND EXISTS (SELECT 1 FROM task WHERE sequence > %(position)s) THEN 0 ELSE %(due)s::bigint END
WHERE task_id = %(task_id)s AND position <= %(position)s AND ended = 0
"""
"""Changes nothing for a process that was stopped while another continued the delivery.

Events that were committed during the delivery make it due again: nothing else would. Hence the lock, which
waits for a process that is about to commit some."""

SELECT_KEYS = _over_rows(
    f"SELECT {', '.join(KEY_COLUMNS)} FROM gencode.idempotency_keys"
    " WHERE (principal, value) IN (SELECT * FROM {rows})",
    "idempotency_keys",
    ("principal", "value"),
)

SELECT_REQUEST = b"SELECT data FROM gencode.requests WHERE task_id = %s"
SELECT_CALLBACK = f"SELECT {', '.join(CALLBACK_COLUMNS)} FROM gencode.callbacks WHERE task_id = %s".encode()

CHECK_WRITABLE = b"SELECT pg_logical_emit_message(true, 'gencode', '')"
"""Written to the database's log only: a row that all processes update would serialize them."""

# --- pages ---

PAGE_ROWS = 500
PAGE_BYTES = 262_144


def _page(table: str, columns: Sequence[str], order: str) -> bytes:
    """Values: task_id, and the last `order` of the page before.

    A page ends after PAGE_ROWS, or once the last column has PAGE_BYTES. Each row ends with how many rows
    there were to choose from: if they are more than the page's, there is another page.
    """
    names = ", ".join(columns)
    size = f"octet_length({columns[-1]})"
    return f"""
    SELECT {names}, available FROM (
        SELECT {names}, count(*) OVER () AS available, sum({size}) OVER (ORDER BY {order}) - {size} AS before
        FROM (
            SELECT {names} FROM gencode.{table} WHERE task_id = %s AND {order} > %s
            ORDER BY {order} LIMIT {PAGE_ROWS + 1}
        ) AS first
    ) AS page WHERE before < {PAGE_BYTES} ORDER BY {order} LIMIT {PAGE_ROWS}
    """.encode()


SELECT_EVENTS = _page("events", EVENT_COLUMNS, "id")
SELECT_CHECKPOINTS = _page("checkpoints", ("position", "name", "data"), "position")

SELECT_NEXT_CALLBACKS = f"""
SELECT {", ".join(f"callbacks.{column}" for column in CALLBACK_COLUMNS)}, tasks.principal
FROM gencode.callbacks JOIN gencode.tasks ON tasks.id = callbacks.task_id
WHERE callbacks.due IS NOT NULL AND callbacks.due BETWEEN %s AND %s
    AND task_id <> ALL(%s::text[]) AND rtrim(host, '0123456789') <> ALL(%s::text[])
    AND tasks.principal <> ALL(%s::text[])
ORDER BY callbacks.due LIMIT %s
""".encode()
"""Values: the first and the last time, what is excluded (names of hosts with a colon), the limit."""

# --- retention ---

_DELETABLE = (
    f"NOT ({UNFINISHED}) AND NOT EXISTS"
    " (SELECT 1 FROM gencode.callbacks WHERE task_id = tasks.id AND due IS NOT NULL)"
)

SELECT_FINISHED_TASKS = (
    "SELECT id, version, principal, kind, updated_at FROM gencode.tasks"
    f" WHERE id > %s AND id < %s AND updated_at < %s AND {_DELETABLE} ORDER BY id LIMIT %s"
).encode()

SELECT_TASK_SIZES = " UNION ALL ".join(
    f"SELECT task_id, sum(octet_length(data))::bigint FROM gencode.{table}"
    " WHERE task_id = ANY(%s::text[]) GROUP BY task_id"
    for table in ("requests", "events", "checkpoints")
).encode()
"""Returns several rows (id, bytes) for each task; the caller adds them up."""

LOCK_TOTALS = b"LOCK TABLE gencode.usage_totals IN EXCLUSIVE MODE"
"""What is read and written back is changed by one process at a time; it can be read meanwhile."""

_USAGE = (
    "principal, kind, created_at, parameters, (SELECT data FROM gencode.events"
    " WHERE task_id = tasks.id AND events.kind = 'usage' ORDER BY id DESC LIMIT 1)"
)
"""Columns of a task, as `usage_totals.task_usage` takes them."""

SELECT_TASK_USAGES = (
    f"SELECT id, state, {_USAGE} FROM gencode.tasks WHERE principal = %s AND id > %s ORDER BY id LIMIT %s"
).encode()

SELECT_DELETED_USAGE = _over_rows(
    f"SELECT tasks.id, {_USAGE} FROM {{rows}} AS wanted(id, version)"
    " JOIN gencode.tasks ON tasks.id = wanted.id"
    f" AND tasks.version = wanted.version WHERE {_DELETABLE} ORDER BY tasks.id FOR UPDATE OF tasks",
    "tasks",
    ("id", "version"),
)

DELETE_TASKS = tuple(
    _over_rows(f"DELETE FROM gencode.{table} WHERE {column} IN (SELECT * FROM {{rows}})", table, (column,))
    for table, column in (
        *(("events", "task_id"), ("checkpoints", "task_id"), ("requests", "task_id")),
        *(("callbacks", "task_id"), ("idempotency_keys", "task_id"), ("tasks", "id")),
    )
)

COUNT_KEYS = b"SELECT count(*) FROM gencode.idempotency_keys WHERE task_id < %s"
DELETE_KEYS = (
    b"DELETE FROM gencode.idempotency_keys WHERE (principal, value) IN"
    b" (SELECT principal, value FROM gencode.idempotency_keys WHERE task_id < %s LIMIT %s)"
)

_TOTALS = f"SELECT {', '.join(TOTAL_COLUMNS)} FROM gencode.usage_totals"
SELECT_TOTALS = f"{_TOTALS} ORDER BY {', '.join(TOTAL_KEY)}".encode()
SELECT_TOTALS_OF_PRINCIPAL = f"{_TOTALS} WHERE principal = %s ORDER BY {', '.join(TOTAL_KEY)}".encode()
SELECT_TOTALS_OF = _over_rows(
    f"{_TOTALS} WHERE ({', '.join(TOTAL_KEY)}) IN (SELECT * FROM {{rows}})", "usage_totals", TOTAL_KEY
)
PUT_TOTALS = _insert(
    "usage_totals",
    TOTAL_COLUMNS,
    f" ON CONFLICT ({', '.join(TOTAL_KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in TOTAL_COLUMNS[len(TOTAL_KEY) :]),
)
