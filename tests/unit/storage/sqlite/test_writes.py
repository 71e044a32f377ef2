from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gencode.domain.errors import Conflict, OutcomeUnknown, StoreError
from gencode.domain.task import Task
from gencode.engine.ports.store import IdempotencyKey
from gencode.storage.rows import event_to_row, key_to_row, request_to_row, task_to_row
from gencode.storage.sqlite import bulk_statements
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.writes import run_read, run_writes
from gencode.storage.write_requests import Commit, Create, Write
from tests.unit.storage.samples import REQUEST, a_task, an_event


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


def create(task: Task, key: IdempotencyKey | None = None) -> Create:
    return Create(
        task=task_to_row(task),
        request=request_to_row(task.id, REQUEST),
        events=[event_to_row(an_event(task, 1))],
        key=key_to_row(key, task.id) if key else None,
    )


def commit(task: Task, version: int, *events: int) -> Commit:
    later = replace(task, version=version, message=str(version))
    return Commit(task=task_to_row(later), events=[event_to_row(an_event(task, id_)) for id_ in events])


def count(table: str) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def message(connection: sqlite3.Connection, task: Task) -> str:
    (found,) = connection.execute("SELECT message FROM tasks WHERE id = ?", (task.id,)).fetchone()
    return str(found)


def traced(connection: sqlite3.Connection) -> list[str]:
    """Filled with the first word of each statement from now on."""
    words: list[str] = []
    connection.set_trace_callback(lambda sql: words.append(sql.split()[0]))
    return words


class Faulty:
    """A connection whose next COMMIT fails with an error code, after it was stored or before."""

    def __init__(self, connection: sqlite3.Connection, code: int, stored: bool) -> None:
        self._connection = connection
        self._code: int | None = code
        self._stored = stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql != "COMMIT" or self._code is None:
            return self._connection.execute(sql, *values)
        if self._stored:
            self._connection.execute(sql)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode, self._code = self._code, None
        raise error


def test_writes_of_every_sort_share_one_transaction(connection: sqlite3.Connection) -> None:
    words = traced(connection)
    tasks = [a_task() for _ in range(300)]
    commits = [commit(task, 1, 2) for task in tasks]
    outcomes = run_writes(connection, [*(create(task) for task in tasks), *commits])
    assert not any(outcome.error for outcome in outcomes)
    assert words == ["BEGIN", "INSERT", "INSERT", "INSERT", "UPDATE", "INSERT", "UPDATE", "COMMIT"]
    assert run_read(connection, count("events")).value == 600


def test_more_rows_than_fit_in_one_statement(connection: sqlite3.Connection) -> None:
    tasks = [a_task() for _ in range(2 * bulk_statements.CHUNK + 1)]
    run_writes(connection, [create(task) for task in tasks])
    assert run_read(connection, count("tasks")).value == len(tasks)
    outcomes = run_writes(connection, [commit(task, 1) for task in tasks])
    assert not any(outcome.error for outcome in outcomes)


def test_several_commits_of_one_task_update_its_row_once(connection: sqlite3.Connection) -> None:
    task = a_task()
    words = traced(connection)
    outcomes = run_writes(connection, [create(task), commit(task, 1, 2), commit(task, 2, 3), commit(task, 3)])
    assert not any(outcome.error for outcome in outcomes)
    assert words.count("UPDATE") == 2  # the row, and its callback
    assert message(connection, task) == "3"


def test_only_the_stale_commit_of_a_batch_is_a_conflict(connection: sqlite3.Connection) -> None:
    task, second = a_task(), a_task()
    run_writes(connection, [create(task), create(second), commit(task, 1), commit(task, 2)])
    writes: list[Write] = [
        commit(task, 2, 2),
        commit(second, 1),
        commit(task, 3, 2),
        commit(task, 4, 3),
        create(a_task()),
    ]
    outcomes = run_writes(connection, writes)
    assert [type(outcome.error) for outcome in outcomes] == [Conflict, *[type(None)] * 4]
    assert message(connection, task) == "4"
    assert not connection.in_transaction


def test_after_a_failure_the_writes_share_a_second_transaction(connection: sqlite3.Connection) -> None:
    known = create(a_task())
    run_writes(connection, [known])
    words = traced(connection)
    outcomes = run_writes(connection, [create(a_task()), known, create(a_task())])
    assert [type(outcome.error) for outcome in outcomes] == [type(None), StoreError, type(None)]
    assert words.count("BEGIN") == 2
    assert words.count("COMMIT") == 1
    assert run_read(connection, count("tasks")).value == 3


def test_one_key_twice_in_a_batch_costs_no_second_transaction(connection: sqlite3.Connection) -> None:
    key = IdempotencyKey(principal="alice", value="k", digest="d")
    tasks = [a_task(), a_task()]
    words = traced(connection)
    outcomes = run_writes(connection, [create(task, key) for task in tasks])
    assert [outcome.value for outcome in outcomes] == [None, tasks[0]]
    assert words.count("BEGIN") == 1


def test_the_error_of_a_read_is_its_outcome(connection: sqlite3.Connection) -> None:
    assert isinstance(run_read(connection, count("nothing")).error, StoreError)


def test_reads_take_no_lock(connection: sqlite3.Connection, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    assert run_read(connection, count("tasks")).value == 0


def test_all_that_wait_for_a_lock_fail_after_one_wait(
    connection: sqlite3.Connection, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    words = traced(connection)
    outcomes = run_writes(connection, [create(a_task()) for _ in range(100)])
    assert {type(outcome.error) for outcome in outcomes} == {StoreError}
    assert len({id(outcome.error) for outcome in outcomes}) == 100
    assert words == ["BEGIN"]
    other.execute("ROLLBACK")
    assert run_writes(connection, [create(a_task())])[0].error is None


# --- COMMIT fails -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_ERROR])
def test_when_the_disk_does_not_confirm_every_outcome_is_unknown(
    connection: sqlite3.Connection, code: int, stored: bool
) -> None:
    faulty: Any = Faulty(connection, code, stored)
    writes = [create(a_task()), create(a_task())]
    outcomes = run_writes(faulty, writes)
    assert [type(outcome.error) for outcome in outcomes] == [OutcomeUnknown, OutcomeUnknown]
    assert run_read(connection, count("tasks")).value == (2 if stored else 0)
    assert run_writes(faulty, [create(a_task())])[0].error is None


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_WRITE])
def test_a_commit_that_was_certainly_not_written_stored_nothing(
    connection: sqlite3.Connection, code: int
) -> None:
    faulty: Any = Faulty(connection, code, stored=False)
    outcomes = run_writes(faulty, [create(a_task()), create(a_task())])
    assert [type(outcome.error) for outcome in outcomes] == [StoreError, StoreError]
    assert not connection.in_transaction
    assert run_read(connection, count("tasks")).value == 0
    assert run_writes(faulty, [create(a_task())])[0].error is None


def test_a_transaction_that_was_left_open_is_rolled_back_first(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE left_open (a)")
    assert run_writes(connection, [create(a_task())])[0].error is None
    assert isinstance(run_read(connection, count("left_open")).error, StoreError)
