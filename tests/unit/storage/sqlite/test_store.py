from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.task import State
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import REQUEST, a_task, an_event


async def test_everything_is_there_after_closing_and_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    task, key = a_task(), IdempotencyKey(principal="alice", value="k", digest="d")
    later = replace(task, state=State.RUNNING, version=1)
    async with open_sqlite(path) as store:
        await store.create(task, REQUEST, [an_event(task, 1)], key)
        await store.commit(later, [an_event(task, 2)], {"b": "1", "a": "2"})
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery()) == [later]
        assert await store.events(task.id) == [an_event(task, 1), an_event(task, 2)]
        assert list((await store.checkpoints(task.id)).items()) == [("b", "1"), ("a", "2")]
        assert await store.create(a_task(), REQUEST, [], key) == later


async def test_leaving_waits_for_the_calls_under_way(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    tasks = [a_task() for _ in range(100)]
    async with open_sqlite(path) as store:
        callers = [asyncio.create_task(store.create(task, REQUEST, [])) for task in tasks]
        await asyncio.sleep(0)
    assert all(caller.done() for caller in callers)
    async with open_sqlite(path) as store:
        assert len(await store.find(TaskQuery(limit=1000))) == 100


async def test_after_leaving_every_call_is_refused(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gencode.db") as store:
        pass
    with pytest.raises(StoreError, match="closed"):
        await store.find(TaskQuery())


async def test_cancelling_the_owner_still_closes_in_order(tmp_path: Path) -> None:
    path, task = tmp_path / "gencode.db", a_task()
    with anyio.CancelScope() as scope:
        async with open_sqlite(path) as store:
            caller = asyncio.create_task(store.create(task, REQUEST, []))
            await asyncio.sleep(0)
            scope.cancel()
            await anyio.sleep_forever()
    assert await caller == task
    assert not path.with_name("gencode.db-wal").exists()  # gone: the connection was closed properly
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery()) == [task]


async def test_an_error_of_the_owner_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with open_sqlite(tmp_path / "gencode.db"):
            raise KeyError("mine")


async def test_what_waits_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gencode.db", limit=10) as store:
        outcomes = await asyncio.gather(
            *(store.create(a_task(), REQUEST, []) for _ in range(15)), return_exceptions=True
        )
        assert [isinstance(outcome, StoreError) for outcome in outcomes] == [False] * 10 + [True] * 5
        assert len(await store.find(TaskQuery())) == 10


async def test_a_second_connection_reads_while_the_first_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    async with open_sqlite(path, second_connection=True) as store:
        tasks = [a_task() for _ in range(50)]
        for task in tasks:
            await store.create(task, REQUEST, [an_event(task, 1)])
            assert await store.find(TaskQuery(id=task.id)) == [task]
        names = {thread.name.rsplit("_", 1)[0] for thread in threading.enumerate()}
        assert {"sqlite", "sqlite-reads"} <= names
    assert not path.with_name("gencode.db-wal").exists()


async def test_an_older_sqlite_has_one_connection_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gencode.storage.sqlite.store.SEVERAL_CONNECTIONS_SQLITE", (99, 0))
    async with open_sqlite(tmp_path / "gencode.db") as store:
        await store.find(TaskQuery())
        assert not any(thread.name.startswith("sqlite-reads") for thread in threading.enumerate())


async def test_a_damaged_row_breaks_no_list(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    good, bad = a_task(), a_task(state=State.RUNNING)
    async with open_sqlite(path) as store:
        await store.create(good, REQUEST, [])
        await store.create(bad, REQUEST, [an_event(bad, 1)])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE tasks SET result = '{' WHERE id = ?", (bad.id,))
        database.execute("UPDATE tasks SET state = 'dreaming' WHERE id = ?", (good.id,))
        database.execute("UPDATE events SET data = 'x'")
        database.execute("UPDATE requests SET data = '[]'")
    async with open_sqlite(path) as store:
        found = await store.find(TaskQuery())
        assert [(task.id, task.state) for task in found] == [
            (bad.id, State.UNKNOWN),
            (good.id, State.UNKNOWN),
        ]
        assert await store.find(TaskQuery(states=[State.UNKNOWN])) == [found[1]]
        assert [event.data for event in await store.events(bad.id)] == [{}]
        assert await store.request(bad.id) == {}
