from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from gencode.domain.task import UNFINISHED, State
from gencode.engine.ports.store import TaskQuery
from gencode.storage.postgres import array_parameters, statements
from gencode.storage.postgres.statements import RowsStatement
from gencode.storage.postgres.store import open_postgres
from gencode.storage.task_query_sql import select_tasks

IDS = array_parameters.TextArray(["x"])


async def plan(dsn: str, sql: bytes, values: Sequence[Any] = ()) -> str:
    """As it is for a large table."""
    async with open_postgres(dsn), await psycopg.AsyncConnection.connect(dsn) as connection:
        array_parameters.register(connection)
        await connection.execute(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off"
        )
        cursor = connection.cursor(binary=True)
        await cursor.execute(b"EXPLAIN " + sql, values)
        return "; ".join(row[0] for row in await cursor.fetchall())


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "tasks_pkey"),
        (TaskQuery(id="x"), "tasks_pkey"),
        (TaskQuery(principal="alice", before="x"), "tasks_by_principal"),
        (TaskQuery(principal="alice", kind="generate"), "tasks_by_principal"),
        (TaskQuery(principal="alice", statuses=["completed", "pending"]), "tasks_by_principal"),
        (TaskQuery(principal="alice", cache_key="d"), "tasks_by_cache_key"),
        (TaskQuery(states=UNFINISHED), "tasks_unfinished"),
        (TaskQuery(states=UNFINISHED, before="x"), "tasks_unfinished"),
        (TaskQuery(states=[State.QUEUED]), "tasks_unfinished"),
        (TaskQuery(statuses=["pending", "generating"]), "tasks_unfinished"),
    ],
)
async def test_every_list_walks_an_index_in_order(postgres: str, query: TaskQuery, index: str) -> None:
    sql, values = select_tasks(query, "gencode.tasks")
    found = await plan(postgres, sql.replace("?", "%s").encode(), values)
    assert f"Index Scan Backward using {index}" in found or query.id
    assert index in found
    assert "Sort" not in found


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (statements.SELECT_EVENTS, ["x", 1], "events_pkey"),
        (statements.SELECT_CHECKPOINTS, ["x", 1], "checkpoints_pkey"),
        (statements.SELECT_REQUEST, ["x"], "requests_pkey"),
        (statements.SELECT_CALLBACK, ["x"], "callbacks_pkey"),
        (statements.SELECT_NEXT_CALLBACKS, [0, 9, IDS, IDS, IDS, 5], "callbacks_due"),
        (statements.SELECT_FINISHED_TASKS, ["", "x", "2026", 10], "tasks_pkey"),
        (statements.SELECT_TASK_USAGES, ["x", "", 10], "tasks_by_principal"),
        (statements.COUNT_KEYS, ["x"], "idempotency_keys_by_task"),
        (statements.SELECT_TOTALS_OF_PRINCIPAL, ["x"], "usage_totals_pkey"),
    ],
)
async def test_what_is_read_is_found_by_an_index(
    postgres: str, sql: bytes, values: Sequence[Any], index: str
) -> None:
    found = await plan(postgres, sql, values)
    assert index in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize(
    ("statement", "row", "index"),
    [
        (statements.SELECT_KEYS, ("x", "y"), "idempotency_keys_pkey"),
        (statements.MAKE_CALLBACKS_DUE, ("x",), "callbacks_pkey"),
        (statements.SELECT_DELETED_USAGE, ("x", 1), "tasks_pkey"),
        *((statement, ("x",), "_pkey") for statement in statements.DELETE_TASKS[:4]),
        (statements.DELETE_TASKS[4], ("x",), "idempotency_keys_by_task"),
        (statements.DELETE_TASKS[5], ("x",), "tasks_pkey"),
    ],
)
async def test_what_is_changed_is_found_by_an_index(
    postgres: str, statement: RowsStatement, row: tuple[Any, ...], index: str
) -> None:
    found = await plan(postgres, statement.sql, array_parameters.columns([row], statement.types))
    assert index in found
    assert "Seq Scan" not in found


async def test_a_task_that_is_changed_is_found_by_its_id(postgres: str) -> None:
    types = statements.UPDATE_TASKS.types
    row = tuple("x" if type_ == "text" else 1 for type_ in types)
    found = await plan(postgres, statements.UPDATE_TASKS.sql, array_parameters.columns([row], types))
    assert found.count("Index Scan using tasks_pkey") == 2
    assert "Seq Scan" not in found
