"""The SQL text, apart from how it is run: `{values}` stands for a VALUES list of all rows (see
`bulk_statements`).

Another dialect replaces this package; what lies beside it in `gencode.storage` is shared.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

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


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) {{values}}"


INSERT_TASKS = _insert("tasks", TASK_COLUMNS)
INSERT_REQUESTS = _insert("requests", REQUEST_COLUMNS)
INSERT_EVENTS = _insert("events", EVENT_COLUMNS)
INSERT_KEYS = _insert("idempotency_keys", KEY_COLUMNS)
INSERT_CALLBACKS = _insert("callbacks", CALLBACK_COLUMNS)

PUT_CHECKPOINTS = (
    _insert("checkpoints", CHECKPOINT_COLUMNS)
    + " ON CONFLICT (task_id, name) DO UPDATE SET data = excluded.data"
)
"""One that is stored again keeps its place in the order."""

_CHANGES = ", ".join(f"{name} = new.column{n}" for n, name in enumerate(CHANGING_COLUMNS, start=3))
UPDATE_TASKS = (
    f"UPDATE tasks SET {_CHANGES} FROM ({{values}}) AS new"
    " WHERE tasks.id = new.column1 AND tasks.version = new.column2"
)
"""Rows: id, the version that must be stored, CHANGING_COLUMNS; ids differ. A stale row changes nothing."""

MAKE_CALLBACKS_DUE = "UPDATE callbacks SET due = 0 WHERE due IS NULL AND NOT ended AND task_id IN ({values})"

CLAIM_CALLBACK = (
    "UPDATE callbacks SET due = ?"
    " WHERE task_id = ? AND position = ? AND failures = ? AND due = ? AND NOT ended"
)

SAVE_CALLBACK = (
    "UPDATE callbacks SET position = ?2, failures = ?3, ended = ?5, reason = ?6,"
    " due = CASE WHEN ?4 IS NULL AND NOT ?5"
    " AND EXISTS (SELECT 1 FROM tasks WHERE id = ?1 AND sequence > ?2) THEN 0 ELSE ?4 END"
    " WHERE task_id = ?1 AND position <= ?2 AND NOT ended"
)
"""Values: task_id, position, failures, due, ended, reason. Events that were committed during the delivery
make it due again: nothing else would."""

SELECT_KEYS = (
    "SELECT stored.principal, stored.value, digest, task_id FROM ({values}) AS wanted"
    " CROSS JOIN idempotency_keys AS stored"
    " ON stored.principal = wanted.column1 AND stored.value = wanted.column2"
)
"""Rows: principal, value."""

SELECT_REQUEST = "SELECT data FROM requests WHERE task_id = ?"
SELECT_EVENTS = f"SELECT {', '.join(EVENT_COLUMNS)} FROM events WHERE task_id = ? AND id > ? ORDER BY id"
SELECT_CHECKPOINTS = (
    "SELECT position, name, data FROM checkpoints WHERE task_id = ? AND position > ? ORDER BY position"
)
SELECT_CALLBACK = f"SELECT {', '.join(CALLBACK_COLUMNS)} FROM callbacks WHERE task_id = ?"

# --- retention ---

_DELETABLE = (
    f"NOT ({UNFINISHED})"
    " AND NOT EXISTS (SELECT 1 FROM callbacks WHERE task_id = tasks.id AND due IS NOT NULL)"
)

SELECT_FINISHED_TASKS = (
    "SELECT id, version, principal, kind, updated_at FROM tasks"
    f" WHERE id > ? AND id < ? AND updated_at < ? AND {_DELETABLE} ORDER BY id LIMIT ?"
)

_USAGE = (
    "principal, kind, created_at, parameters,"
    " (SELECT data FROM events WHERE task_id = tasks.id AND kind = 'usage' ORDER BY id DESC LIMIT 1)"
)
"""Columns of a task, as `usage_totals.task_usage` takes them."""

SELECT_DELETED_USAGE = (
    f"SELECT tasks.id, {_USAGE}"
    " FROM ({values}) AS wanted CROSS JOIN tasks ON tasks.id = wanted.column1"
    f" AND tasks.version = wanted.column2 WHERE {_DELETABLE}"
)
"""Rows: id, version."""

DELETE_TASKS = tuple(
    f"DELETE FROM {table} WHERE {column} IN ({{values}})"
    for table, column in (
        *(("events", "task_id"), ("checkpoints", "task_id"), ("requests", "task_id")),
        *(("callbacks", "task_id"), ("idempotency_keys", "task_id"), ("tasks", "id")),
    )
)
"""Rows: id. What refers to a task goes before it."""

COUNT_KEYS = "SELECT count(*) FROM idempotency_keys WHERE task_id < ?"
DELETE_KEYS = (
    "DELETE FROM idempotency_keys WHERE (principal, value) IN"
    " (SELECT principal, value FROM idempotency_keys WHERE task_id < ? LIMIT ?)"
)

SELECT_TASK_USAGES = (
    f"SELECT id, state, {_USAGE} FROM tasks WHERE principal = ? AND id > ? ORDER BY id LIMIT ?"
)

_TOTALS = f"SELECT {', '.join(TOTAL_COLUMNS)} FROM usage_totals"
SELECT_TOTALS = f"{_TOTALS} ORDER BY {', '.join(TOTAL_KEY)}"
SELECT_TOTALS_OF_PRINCIPAL = f"{_TOTALS} WHERE principal = ? ORDER BY {', '.join(TOTAL_KEY)}"
SELECT_TOTALS_OF = f"{_TOTALS} WHERE ({', '.join(TOTAL_KEY)}) IN ({{values}})"
"""Rows: TOTAL_KEY."""
PUT_TOTALS = _insert("usage_totals", TOTAL_COLUMNS).replace("INSERT", "INSERT OR REPLACE", 1)


# --- statements that depend on the query ---


def select_next_callbacks(
    exclude_tasks: Collection[str], exclude_names: Collection[str], exclude_principals: Collection[str]
) -> str:
    """Values: the first and the last time, what is excluded (names of hosts with a colon), the limit."""
    return (
        f"SELECT {', '.join(f'callbacks.{column}' for column in CALLBACK_COLUMNS)}, tasks.principal"
        " FROM callbacks CROSS JOIN tasks ON tasks.id = callbacks.task_id"
        " WHERE callbacks.due IS NOT NULL AND callbacks.due BETWEEN ? AND ?"
        f" AND task_id NOT IN ({_marks(exclude_tasks)})"
        f" AND rtrim(host, '0123456789') NOT IN ({_marks(exclude_names)})"
        f" AND tasks.principal NOT IN ({_marks(exclude_principals)})"
        " ORDER BY callbacks.due LIMIT ?"
    )


def select_task_sizes(task_ids: Sequence[str]) -> tuple[str, list[Any]]:
    """The statement, which selects several (id, bytes) for a task, and its values."""
    tables = ("requests", "events", "checkpoints")
    selects = (
        f"SELECT task_id, sum(length(CAST(data AS BLOB))) FROM {table}"
        f" WHERE task_id IN ({_marks(task_ids)}) GROUP BY task_id"
        for table in tables
    )
    return " UNION ALL ".join(selects), [*task_ids] * len(tables)


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))
