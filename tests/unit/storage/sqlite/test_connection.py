from __future__ import annotations

import sqlite3
from pathlib import Path
from stat import S_IMODE

import pytest

from gencode.domain.errors import StoreUnusable
from gencode.engine.store import TaskQuery
from gencode.storage.rows import TASK_COLUMNS, task_row
from gencode.storage.sqlite import connection, schema, statements
from gencode.storage.sqlite.connection import connect
from tests.unit.storage.samples import a_task


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gencode.db"


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_database_is_durable_checked_and_its_owners_only(path: Path) -> None:
    connection = connect(path, 5)
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 2
    assert pragma(connection, "foreign_keys") == 1
    assert pragma(connection, "application_id") == schema.APPLICATION_ID
    assert pragma(connection, "user_version") == schema.VERSION
    assert pragma(connection, "busy_timeout") == 5000
    assert {S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 3  # with -wal and -shm
    connection.close()


def test_opening_again_changes_nothing(path: Path) -> None:
    connect(path, 0).close()
    before = path.read_bytes()
    connect(path, 0).close()
    assert path.read_bytes() == before


def test_an_older_database_is_brought_forward_step_by_step(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(path, 0).close()
    steps = (*schema.MIGRATIONS, ("CREATE TABLE second (a)",), ("ALTER TABLE second ADD COLUMN b",))
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "VERSION", len(steps))
    connection = connect(path, 0)
    assert pragma(connection, "user_version") == len(steps)
    assert connection.execute("SELECT a, b FROM second").fetchall() == []
    connection.close()


def test_tasks_of_the_first_release_are_there_after_its_migration(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    monkeypatch.setattr(schema, "VERSION", 1)
    connection = connect(path, 0)
    row = dict(zip(TASK_COLUMNS, task_row(a_task(id="old")), strict=True))
    later = ("retries", "digest", "trace", "held_until")
    first = {name: value for name, value in row.items() if name not in later}
    insert = f"INSERT INTO tasks ({', '.join(first)}) VALUES ({', '.join('?' * len(first))})"
    connection.execute(insert, list(first.values()))
    connection.close()
    monkeypatch.undo()
    connection = connect(path, 0)
    (found,) = statements.find(connection, TaskQuery())
    assert (found.id, found.retries, found.digest) == ("old", {}, "")
    connection.close()


def test_a_failing_step_leaves_the_older_database_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(path, 0).close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE second (a)", "NONSENSE")))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StoreUnusable):
        connect(path, 0)
    monkeypatch.undo()
    connection = connect(path, 0)
    assert pragma(connection, "user_version") == schema.VERSION
    assert not connection.execute("SELECT * FROM sqlite_master WHERE name = 'second'").fetchall()
    connection.close()


def test_an_sqlite_that_is_too_old_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SQLITE", (99, 0))
    with pytest.raises(StoreUnusable, match="too old"):
        connect(path, 0)
    assert not path.exists()
