from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gencode.domain.task import UNFINISHED, State
from gencode.engine.ports.store import TaskQuery
from gencode.storage.rows import CHANGING_COLUMNS, TASK_COLUMNS
from gencode.storage.sqlite import bulk_statements, statements
from gencode.storage.sqlite.bulk_statements import read_values, write_values
from gencode.storage.sqlite.connection import connect
from gencode.storage.task_query_sql import select_tasks


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "gencode.db", 0)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, sql: str, values: object = ()) -> str:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)  # type: ignore[arg-type]
    return "; ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "sqlite_autoindex_tasks_1"),
        (TaskQuery(id="x", principal="alice"), "sqlite_autoindex_tasks_1 (id=?)"),
        (TaskQuery(principal="alice", before="x"), "tasks_by_principal (principal=? AND id<?)"),
        (TaskQuery(principal="alice", kind="generate"), "tasks_by_principal (principal=?)"),
        (
            TaskQuery(principal="alice", statuses=["completed", "pending"]),
            "tasks_by_principal (principal=?)",
        ),
        (TaskQuery(principal="alice", cache_key="d"), "tasks_by_cache_key (principal=? AND cache_key=?)"),
        (TaskQuery(states=UNFINISHED), "tasks_unfinished"),
        (TaskQuery(states=UNFINISHED, before="x"), "tasks_unfinished (id<?)"),
        (TaskQuery(states=[State.QUEUED]), "tasks_unfinished"),
        (TaskQuery(statuses=["pending", "generating"]), "tasks_unfinished"),
    ],
)
def test_every_list_walks_an_index_in_order(
    connection: sqlite3.Connection, query: TaskQuery, index: str
) -> None:
    found = plan(connection, *select_tasks(query))
    assert index in found
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (statements.SELECT_EVENTS, ("x", 1), "PRIMARY KEY (task_id=? AND id>?)"),
        (statements.SELECT_REQUEST, ("x",), "sqlite_autoindex_requests_1 (task_id=?)"),
        (statements.SELECT_CALLBACK, ("x",), "PRIMARY KEY (task_id=?)"),
        (
            statements.select_next_callbacks(["x"], ["h"], ["p"]),
            (0, 1, "x", "h:", "p", 1),
            "callbacks_due (due>? AND due<?)",
        ),
    ],
)
def test_every_read_of_a_task_uses_an_index(
    connection: sqlite3.Connection, sql: str, values: tuple[object, ...], index: str
) -> None:
    assert index in plan(connection, sql, values)


def test_checkpoints_of_a_task_are_looked_up_by_its_index(connection: sqlite3.Connection) -> None:
    assert "SCAN" not in plan(connection, statements.SELECT_CHECKPOINTS, ("x", 0))


def test_updates_and_keys_are_looked_up_by_their_index(connection: sqlite3.Connection) -> None:
    traced: list[str] = []
    connection.set_trace_callback(traced.append)
    write_values(connection, statements.UPDATE_TASKS, [("x", 0, *("x" for _ in CHANGING_COLUMNS))] * 3)
    read_values(connection, statements.SELECT_KEYS, [("a", "b")] * 3)
    connection.set_trace_callback(None)
    update, select = (plan(connection, sql) for sql in traced)
    assert "sqlite_autoindex_tasks_1 (id=?)" in update
    assert "SEARCH stored USING PRIMARY KEY (principal=? AND value=?)" in select


def test_the_widest_statement_stays_within_the_limit_of_sqlite() -> None:
    assert bulk_statements.CHUNK * len(TASK_COLUMNS) <= 32_766
