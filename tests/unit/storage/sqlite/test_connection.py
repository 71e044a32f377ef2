from __future__ import annotations

import sqlite3
from pathlib import Path
from stat import S_IMODE

import pytest

from gencode.domain.errors import StoreUnusable
from gencode.storage.sqlite import connection, schema
from gencode.storage.sqlite.connection import connect, connect_reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gencode.db"


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_database_is_durable_and_readable_by_its_owner_only(path: Path) -> None:
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


def test_a_reader_cannot_write_and_does_not_make_the_file(path: Path) -> None:
    with pytest.raises(StoreUnusable):
        connect_reader(path, 0)
    first = connect(path, 0)
    reader = connect_reader(path, 0)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM tasks")
    assert reader.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
    reader.close()
    first.close()
