"""The reads of a store, each one statement. See `gencode.storage.row_store.Reads`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import TERMINAL, Task
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal
from gencode.engine.ports.store import TaskQuery
from gencode.engine.quota_usage import TaskUsage
from gencode.engine.task_ids import earliest_id
from gencode.storage.postgres import statements
from gencode.storage.postgres.array_parameters import TextArray
from gencode.storage.postgres.connection import Connection
from gencode.storage.rows import (
    Row,
    read_request,
    replace_surrogates,
    row_to_callback,
    row_to_event,
    row_to_finished_task,
    row_to_task,
)
from gencode.storage.task_query_sql import count_tasks, select_tasks
from gencode.storage.usage_totals import row_to_total, task_usage
from gencode.storage.write_requests import check_digest


async def find(connection: Connection, query: TaskQuery) -> list[Task]:
    sql, values = select_tasks(query, "gencode.tasks")
    return [row_to_task(row) for row in await connection.fetch(sql.replace("?", "%s").encode(), values)]


async def count(connection: Connection, query: TaskQuery) -> int:
    sql, values = count_tasks(query, "gencode.tasks")
    rows = await connection.fetch(sql.replace("?", "%s").encode(), values)
    return int(rows[0][0])


async def find_by_key(connection: Connection, key: Row) -> Task | None:
    stored = await connection.fetch_over(statements.SELECT_KEYS, [key[:2]])
    return await key_owner(connection, key, stored[0]) if stored else None


async def key_owner(connection: Connection, key: Row, stored: Row) -> Task:
    """The task of a stored key. Raises IdempotencyKeyReused."""
    tasks = await find(connection, TaskQuery(id=check_digest(key, stored)))
    if not tasks:
        raise StoreError("the task of this idempotency key was deleted at this moment: try again")
    return tasks[0]


async def request(connection: Connection, task_id: str) -> dict[str, Any]:
    rows = await connection.fetch(statements.SELECT_REQUEST, [replace_surrogates(task_id)])
    return read_request(rows[0][0]) if rows else {}


async def events(connection: Connection, task_id: str, after: int) -> tuple[list[Event], bool]:
    rows, is_last = await _page(connection, statements.SELECT_EVENTS, task_id, after)
    return [row_to_event(row) for row in rows], is_last


async def checkpoints(connection: Connection, task_id: str, after: int) -> tuple[list[Row], bool]:
    return await _page(connection, statements.SELECT_CHECKPOINTS, task_id, after)


async def finished_tasks(
    connection: Connection, updated_before: datetime, after: str, limit: int
) -> list[FinishedTask]:
    """A task's id is older than its last change, which bounds the part of the index that is read."""
    values = [after, earliest_id(updated_before), updated_before.isoformat(), limit]
    rows = await connection.fetch(statements.SELECT_FINISHED_TASKS, values)
    return [row_to_finished_task(row) for row in rows]


async def task_sizes(connection: Connection, task_ids: Sequence[str]) -> dict[str, int]:
    sizes = dict.fromkeys(task_ids, 0)
    for task_id, size in await connection.fetch(statements.SELECT_TASK_SIZES, [TextArray(task_ids)] * 3):
        sizes[task_id] += size
    return sizes


async def count_keys(connection: Connection, before: str) -> int:
    return int((await connection.fetch(statements.COUNT_KEYS, [before]))[0][0])


async def usage_totals(connection: Connection, principal: str | None = None) -> list[UsageTotal]:
    if principal is None:
        return [row_to_total(row) for row in await connection.fetch(statements.SELECT_TOTALS)]
    values = [replace_surrogates(principal)]
    rows = await connection.fetch(statements.SELECT_TOTALS_OF_PRINCIPAL, values)
    return [row_to_total(row) for row in rows]


async def task_usages(connection: Connection, principal: str, after: str, limit: int) -> list[TaskUsage]:
    values = [replace_surrogates(principal), after, limit]
    return [
        TaskUsage(id=task_id, is_over=state in TERMINAL, usage=task_usage(*columns))
        for task_id, state, *columns in await connection.fetch(statements.SELECT_TASK_USAGES, values)
    ]


async def next_callbacks(
    connection: Connection, limit: int, excluded: tuple[list[str], ...], due: tuple[int, int]
) -> list[Callback]:
    tasks, names, principals = (TextArray(map(replace_surrogates, values)) for values in excluded)
    values = [*due, tasks, TextArray(f"{name}:" for name in names), principals, limit]
    rows = await connection.fetch(statements.SELECT_NEXT_CALLBACKS, values)
    return [replace(row_to_callback(tuple(row)), principal=principal) for *row, principal in rows]


async def callback(connection: Connection, task_id: str) -> Callback | None:
    rows = await connection.fetch(statements.SELECT_CALLBACK, [replace_surrogates(task_id)])
    return row_to_callback(rows[0]) if rows else None


async def _page(connection: Connection, sql: bytes, task_id: str, after: int) -> tuple[list[Row], bool]:
    rows = await connection.fetch(sql, [replace_surrogates(task_id), after])
    return [row[:-1] for row in rows], not rows or len(rows) == rows[0][-1]
