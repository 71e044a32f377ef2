from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_IMODE

import pytest

from gencode.engine.ports.store import TaskQuery
from gencode.storage.sqlite.compaction import compact_database
from gencode.storage.sqlite.database_copy import CopyFailed
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import REQUEST, a_task

SECRET = "a prompt that was deleted"


async def made(path: Path) -> str:
    """A database with free pages; the id of the task that it still has."""
    async with open_sqlite(path) as store:
        kept, gone = a_task(), a_task()
        await store.create(kept, REQUEST, [])
        await store.create(gone, {"prompt": SECRET * 20_000}, [])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA secure_delete = OFF")  # SQLite may be built with it
        database.execute("DELETE FROM requests WHERE task_id = ?", (gone.id,))
        database.execute("DELETE FROM tasks WHERE id = ?", (gone.id,))
    return kept.id


async def test_the_file_becomes_smaller_and_holds_nothing_that_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    kept = await made(path)
    before = path.stat().st_size
    assert SECRET.encode() in path.read_bytes()
    freed = compact_database(path)
    assert freed == before - path.stat().st_size > 400_000
    assert SECRET.encode() not in path.read_bytes()
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["gencode.db"]
    async with open_sqlite(path) as store:
        assert [task.id for task in await store.find(TaskQuery())] == [kept]
        assert await store.request(kept) == REQUEST


async def test_a_file_that_another_program_has_open_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    await made(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM tasks").fetchone()
        before = path.read_bytes()
        with pytest.raises(CopyFailed, match="open in another program"):
            compact_database(path)
        assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["gencode.db"]


async def test_a_damaged_database_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    path.write_bytes(b"something else\n" * 1000)
    with pytest.raises(CopyFailed, match="not a database"):
        compact_database(path)
    assert path.read_bytes() == b"something else\n" * 1000
