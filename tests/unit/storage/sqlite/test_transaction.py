from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gencode.domain.errors import StoreError
from gencode.domain.task import Task
from gencode.engine.store import IdempotencyKey
from gencode.storage.rows import event_row, key_row, task_row
from gencode.storage.sqlite import statements
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.transaction import Commit, Create, Read, execute
from tests.unit.storage.samples import a_task, an_event


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "gencode.db", 0)
    yield connection
    connection.close()


@pytest.fixture
def other(tmp_path: Path, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file."""
    other = sqlite3.connect(tmp_path / "gencode.db", isolation_level=None)
    yield other
    other.close()


def create(task: Task) -> Create:
    return Create(task=task_row(task), events=[event_row(an_event(task, 1))], key=None)


def count(table: str) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def statements_of(connection: sqlite3.Connection) -> list[str]:
    """Filled with the first word of each statement from now on."""
    words: list[str] = []
    connection.set_trace_callback(lambda sql: words.append(sql.split()[0]))
    return words


def test_writes_of_every_sort_share_one_transaction_and_reads_come_after(
    connection: sqlite3.Connection,
) -> None:
    words = statements_of(connection)
    tasks = [a_task() for _ in range(300)]
    commits = [Commit(task=task_row(task), events=[event_row(an_event(task, 2))], parts=[]) for task in tasks]
    outcomes = execute(connection, [Read(run=count("events")), *map(create, tasks), *commits])
    assert outcomes[0].value == 600
    assert not any(outcome.error for outcome in outcomes)
    assert words == ["BEGIN", "INSERT", "INSERT", "UPDATE", "INSERT", "UPDATE", "COMMIT", "SELECT"]


def test_more_rows_than_fit_in_one_statement(connection: sqlite3.Connection) -> None:
    tasks = [a_task() for _ in range(2 * statements.CHUNK + 1)]
    outcomes = execute(connection, [*map(create, tasks), Read(run=count("tasks"))])
    assert outcomes[-1].value == len(tasks)
    commits = [Commit(task=task_row(task), events=[], parts=[]) for task in tasks]
    assert not any(outcome.error for outcome in execute(connection, commits))


def test_after_a_failure_each_write_has_its_own_transaction(connection: sqlite3.Connection) -> None:
    known = create(a_task())
    execute(connection, [known])
    words = statements_of(connection)
    outcomes = execute(connection, [create(a_task()), known, create(a_task())])
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert words.count("BEGIN") == 4
    assert words.count("COMMIT") == 2
    assert not connection.in_transaction


def test_one_key_twice_in_a_batch_costs_no_second_transaction(connection: sqlite3.Connection) -> None:
    key = IdempotencyKey(client="alice", value="k", digest="d")
    tasks = [a_task(), a_task()]
    words = statements_of(connection)
    outcomes = execute(
        connection,
        [Create(task=task_row(task), events=[], key=key_row(key, task.id)) for task in tasks],
    )
    assert [outcome.value for outcome in outcomes] == [None, tasks[0]]
    assert words.count("BEGIN") == 1


def test_a_failing_read_disturbs_no_write(connection: sqlite3.Connection) -> None:
    outcomes = execute(connection, [Read(run=count("nothing")), create(a_task()), Read(run=count("tasks"))])
    assert isinstance(outcomes[0].error, StoreError)
    assert outcomes[1].error is None
    assert outcomes[2].value == 1


def test_reads_alone_take_no_lock(connection: sqlite3.Connection, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    (outcome,) = execute(connection, [Read(run=count("tasks"))])
    assert outcome.value == 0


def test_all_that_wait_for_a_lock_fail_after_one_wait(
    connection: sqlite3.Connection, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    words = statements_of(connection)
    outcomes = execute(connection, [create(a_task()) for _ in range(100)])
    assert all(isinstance(outcome.error, StoreError) for outcome in outcomes)
    assert len({id(outcome.error) for outcome in outcomes}) == 100
    assert words == ["BEGIN"]
    other.execute("ROLLBACK")
    assert execute(connection, [create(a_task())])[0].error is None
