"""The reads of a store, each a short use of the connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.event import Event
from gencode.domain.task import TERMINAL, Task
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal
from gencode.engine.ports.store import TaskQuery
from gencode.engine.quota_usage import TaskUsage
from gencode.engine.task_ids import earliest_id
from gencode.storage.rows import (
    Row,
    read_request,
    replace_surrogates,
    row_to_callback,
    row_to_event,
    row_to_finished_task,
    row_to_task,
)
from gencode.storage.sqlite import statements
from gencode.storage.sqlite.bulk_statements import read_page, read_values
from gencode.storage.task_query_sql import count_tasks, select_tasks
from gencode.storage.usage_totals import row_to_total, task_usage
from gencode.storage.write_requests import check_digest

Read = Callable[[sqlite3.Connection], Any]
"""Called with a connection that sees committed data only."""


def find(connection: sqlite3.Connection, query: TaskQuery) -> list[Task]:
    sql, values = select_tasks(query)
    return [row_to_task(row) for row in connection.execute(sql, values)]


def count(connection: sqlite3.Connection, query: TaskQuery) -> int:
    return int(connection.execute(*count_tasks(query)).fetchone()[0])


def find_by_key(connection: sqlite3.Connection, key: Row) -> Task | None:
    """See Store.find_by_key; the last column of `key` is ignored."""
    stored = read_values(connection, statements.SELECT_KEYS, [key[:2]])
    return key_owner(connection, key, stored[0]) if stored else None


def key_owner(connection: sqlite3.Connection, key: Row, stored: Row) -> Task:
    """The task of a stored key. Raises IdempotencyKeyReused."""
    (task,) = find(connection, TaskQuery(id=check_digest(key, stored)))
    return task


def request(connection: sqlite3.Connection, task_id: str) -> dict[str, Any]:
    row = connection.execute(statements.SELECT_REQUEST, (replace_surrogates(task_id),)).fetchone()
    return read_request(row[0]) if row else {}


def events(connection: sqlite3.Connection, task_id: str, after: int) -> tuple[list[Event], bool]:
    """A page of the log, and whether it is the last one."""
    values = (replace_surrogates(task_id), after)
    rows, is_last = read_page(connection, statements.SELECT_EVENTS, values)
    return [row_to_event(row) for row in rows], is_last


def checkpoints(connection: sqlite3.Connection, task_id: str, after: int) -> tuple[list[Row], bool]:
    """A page of (position, name, data), and whether it is the last one."""
    values = (replace_surrogates(task_id), after)
    return read_page(connection, statements.SELECT_CHECKPOINTS, values)


def finished_tasks(
    connection: sqlite3.Connection, updated_before: datetime, after: str, limit: int
) -> list[FinishedTask]:
    """A task's id is older than its last change, which bounds the part of the index that is read."""
    values = (after, earliest_id(updated_before), updated_before.isoformat(), limit)
    rows = connection.execute(statements.SELECT_FINISHED_TASKS, values)
    return [row_to_finished_task(row) for row in rows]


def task_sizes(connection: sqlite3.Connection, task_ids: Sequence[str]) -> dict[str, int]:
    sizes = dict.fromkeys(task_ids, 0)
    for task_id, size in connection.execute(*statements.select_task_sizes(task_ids)):
        sizes[task_id] += size
    return sizes


def count_keys(connection: sqlite3.Connection, before: str) -> int:
    return int(connection.execute(statements.COUNT_KEYS, (before,)).fetchone()[0])


def usage_totals(connection: sqlite3.Connection, principal: str | None = None) -> list[UsageTotal]:
    """The usage totals of a principal; None: of all principals."""
    if principal is None:
        return [row_to_total(row) for row in connection.execute(statements.SELECT_TOTALS)]
    rows = connection.execute(statements.SELECT_TOTALS_OF_PRINCIPAL, (replace_surrogates(principal),))
    return [row_to_total(row) for row in rows]


def task_usages(connection: sqlite3.Connection, principal: str, after: str, limit: int) -> list[TaskUsage]:
    values = (replace_surrogates(principal), after, limit)
    rows = connection.execute(statements.SELECT_TASK_USAGES, values)
    return [
        TaskUsage(id=task_id, is_over=state in TERMINAL, usage=task_usage(*columns))
        for task_id, state, *columns in rows
    ]


def next_callbacks(
    connection: sqlite3.Connection, limit: int, excluded: tuple[list[str], ...], due: tuple[int, int]
) -> list[Callback]:
    """`excluded`: tasks, names of hosts, principals."""
    tasks, names, principals = ([*map(replace_surrogates, values)] for values in excluded)
    sql = statements.select_next_callbacks(tasks, names, principals)
    values = (*due, *tasks, *(f"{name}:" for name in names), *principals, limit)
    rows = connection.execute(sql, values)
    return [replace(row_to_callback(row), principal=principal) for *row, principal in rows]


def callback(connection: sqlite3.Connection, task_id: str) -> Callback | None:
    row = connection.execute(statements.SELECT_CALLBACK, (replace_surrogates(task_id),)).fetchone()
    return row_to_callback(row) if row else None
