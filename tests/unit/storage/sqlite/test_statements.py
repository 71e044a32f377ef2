from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gencode.domain.task import WORKING, Status
from gencode.engine.store import TaskQuery
from gencode.storage.rows import TASK_COLUMNS
from gencode.storage.sqlite import statements
from gencode.storage.sqlite.connection import connect


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "gencode.db", 0)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, query: TaskQuery) -> str:
    sql, values = statements.select_tasks(query)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
    return "; ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(), "sqlite_autoindex_tasks_1"),
        (TaskQuery(id="x", client="alice"), "sqlite_autoindex_tasks_1 (id=?)"),
        (TaskQuery(client="alice", before="x"), "tasks_of_client (client=? AND id<?)"),
        (TaskQuery(client="alice", digest="d"), "tasks_by_digest (client=? AND digest=?)"),
        (TaskQuery(statuses=WORKING), "tasks_unfinished"),
        (TaskQuery(statuses=[Status.PENDING]), "tasks_unfinished"),
    ],
)
def test_every_listing_walks_an_index_in_order(
    connection: sqlite3.Connection, query: TaskQuery, index: str
) -> None:
    assert index in plan(connection, query)
    assert "TEMP B-TREE" not in plan(connection, query)


def test_updates_and_keys_are_looked_up_by_their_index(connection: sqlite3.Connection) -> None:
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    statements.update_tasks(connection, [tuple("x" for _ in TASK_COLUMNS)] * 3)
    statements.known_keys(connection, [("a", "b")] * 3)
    connection.set_trace_callback(None)
    update, select = (
        "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in plans
    )
    assert "sqlite_autoindex_tasks_1 (id=?)" in update
    assert "SEARCH keys USING PRIMARY KEY (client=? AND value=?)" in select


def test_the_widest_statement_stays_within_the_limit_of_sqlite() -> None:
    assert statements.CHUNK * len(TASK_COLUMNS) <= 32_766
