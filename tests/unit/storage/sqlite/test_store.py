from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.task import Status
from gencode.engine.store import IdempotencyKey, TaskQuery
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import a_task, an_event


async def test_everything_is_there_after_closing_and_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    task, key = a_task(), IdempotencyKey(client="alice", value="k", digest="d")
    later = replace(task, status=Status.GENERATING)
    async with open_sqlite(path) as store:
        await store.create(task, [an_event(task, 1)], key)
        await store.commit(later, [an_event(task, 2)], {"b": "1", "a": "2"})
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery()) == [later]
        assert await store.events(task.id) == [an_event(task, 1), an_event(task, 2)]
        assert list((await store.checkpoints(task.id)).items()) == [("b", "1"), ("a", "2")]
        assert await store.create(a_task(), [], key) == later


async def test_leaving_waits_for_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "gencode.db"
    tasks = [a_task() for _ in range(100)]
    async with open_sqlite(path) as store:
        callers = [asyncio.create_task(store.create(task, [])) for task in tasks]
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
            caller = asyncio.create_task(store.create(task, []))
            await asyncio.sleep(0)
            scope.cancel()
            await anyio.sleep_forever()
    assert await caller == task
    assert not path.with_name("gencode.db-wal").exists()  # gone: the connection was closed properly
    async with open_sqlite(path) as store:
        assert await store.find(TaskQuery()) == [task]


async def test_an_error_of_the_owner_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with open_sqlite(tmp_path / "gencode.db"):
            raise KeyError("mine")


async def test_what_waits_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gencode.db", limit=10) as store:
        outcomes = await asyncio.gather(
            *(store.create(a_task(), []) for _ in range(15)), return_exceptions=True
        )
        assert [isinstance(outcome, StoreError) for outcome in outcomes] == [False] * 10 + [True] * 5
        assert len(await store.find(TaskQuery())) == 10
