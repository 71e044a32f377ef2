"""The promises of `gencode.engine.ports.callback_outbox.Outbox`, checked on every implementation."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.engine.ports.store import IdempotencyKey
from gencode.storage.memory import MemoryStore
from gencode.storage.postgres.store import open_postgres
from gencode.storage.row_store import RowStore
from gencode.storage.sqlite import schema
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import REQUEST, a_task, an_event


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryStore | RowStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "postgres":
        async with open_postgres(request.getfixturevalue("postgres")) as opened:
            yield opened
    else:
        async with open_sqlite(tmp_path / "gencode.db") as opened:
            yield opened


AnyStore = MemoryStore | RowStore


def a_callback(task: Task, **fields: Any) -> Callback:
    defaults: dict[str, Any] = {
        "kind": "webhook",
        "url": "https://a.example/x?token=1",
        "host": "a.example:443",
    }
    return Callback(task_id=task.id, **(defaults | fields))


async def created(store: AnyStore, **fields: Any) -> tuple[Task, Callback]:
    task = a_task(sequence=1)
    callback = a_callback(task, **fields)
    await store.create(task, REQUEST, [an_event(task, 1)], callback=callback)
    return task, callback


async def grown(store: AnyStore, task: Task, kind: str = "status") -> Task:
    later = replace(task, sequence=task.sequence + 1, version=task.version + 1)
    await store.commit(later, [Event(task_id=task.id, id=later.sequence, kind=kind, data={})])
    return later


async def test_what_was_stored_with_the_task_is_due_and_comes_back_whole(store: AnyStore) -> None:
    task, callback = await created(store)
    assert await store.callback(task.id) == callback
    assert await store.next_callbacks(10) == [callback]


async def test_a_task_without_one_has_none(store: AnyStore) -> None:
    task = a_task()
    await store.create(task, REQUEST, [])
    assert await store.callback(task.id) is None
    assert await store.next_callbacks(10) == []


async def test_neither_is_stored_when_the_task_cannot_be(store: AnyStore) -> None:
    task, first = await created(store)
    with pytest.raises(StoreError):
        await store.create(task, REQUEST, [], callback=replace(first, url="https://b.example/"))
    assert await store.callback(task.id) == first


async def test_a_repeated_submission_leaves_the_first_callback(store: AnyStore) -> None:
    key = IdempotencyKey(principal="alice", value="k", digest="d")
    first, second = a_task(), a_task()
    await store.create(first, REQUEST, [], key, a_callback(first))
    assert await store.create(second, REQUEST, [], key, a_callback(second)) == first
    assert [callback.task_id for callback in await store.next_callbacks(10)] == [first.id]


async def test_the_earliest_come_first_without_the_excluded_ones(store: AnyStore) -> None:
    (one, late), (two, soon), (three, other) = [
        await created(store, due=30),
        await created(store, due=10),
        await created(store, due=20, host="b.example:443"),
    ]
    assert await store.next_callbacks(10) == [soon, other, late]
    assert await store.next_callbacks(2) == [soon, other]
    assert await store.next_callbacks(10, exclude_tasks=[two.id]) == [other, late]
    assert await store.next_callbacks(10, exclude_names=["a.example"]) == [other]
    assert await store.next_callbacks(10, exclude_tasks=[one.id, three.id], exclude_names=["c"]) == [soon]
    assert await store.next_callbacks(10, due=(11, 30)) == [other, late]
    assert await store.next_callbacks(10, due=(10, 29)) == [soon, other]


async def test_hosts_are_left_out_by_name_whatever_the_port(store: AnyStore) -> None:
    hosts = ["a:1", "a:65535", "aa:1", "1.2.3.4:1", "::1:443", "10:80", "1:80"]
    for n, host in enumerate(hosts):
        await created(store, due=n, host=host)
    for name, left in (("a", 5), ("1.2.3.4", 6), ("::1", 6), ("1", 6), ("", 7)):
        assert len(await store.next_callbacks(10, exclude_names=[name])) == left, name


async def test_principals_are_known_and_can_be_left_out(store: AnyStore) -> None:
    for n, principal in enumerate(["alice", "bob", "alice"]):
        task = a_task(principal)
        await store.create(task, REQUEST, [], callback=replace(a_callback(task), due=n))
    assert [one.principal for one in await store.next_callbacks(10)] == ["alice", "bob", "alice"]
    others = await store.next_callbacks(10, exclude_principals=["alice"])
    assert [one.principal for one in others] == ["bob"]


async def test_a_delivered_callback_is_due_again_with_the_next_status(store: AnyStore) -> None:
    task, callback = await created(store)
    delivered = replace(callback, position=1, due=None)
    await store.save_callback(delivered)
    assert await store.next_callbacks(10) == []
    task = await grown(store, task, "usage")
    assert await store.next_callbacks(10) == []
    task = await grown(store, task)
    assert await store.next_callbacks(10) == [replace(delivered, due=0)]
    await store.save_callback(replace(delivered, position=task.sequence))
    await grown(store, task, "approval")
    assert len(await store.next_callbacks(10)) == 1


async def test_events_that_were_committed_during_a_delivery_make_it_due_again(store: AnyStore) -> None:
    task, callback = await created(store)
    await grown(store, task)
    await store.save_callback(replace(callback, position=1, due=None))
    assert await store.next_callbacks(10) == [replace(callback, position=1, due=0)]
    await store.save_callback(replace(callback, position=2, due=None))
    assert await store.next_callbacks(10) == []


async def test_new_events_do_not_shorten_the_wait_after_a_failure(store: AnyStore) -> None:
    task, callback = await created(store)
    waiting = replace(callback, failures=2, due=10**13, reason="it answered 500")
    await store.save_callback(waiting)
    await grown(store, task)
    assert await store.next_callbacks(10) == [waiting]


async def test_a_callback_that_has_ended_is_never_due(store: AnyStore) -> None:
    task, callback = await created(store)
    ended = replace(callback, ended=True, due=None, reason="given up")
    await store.save_callback(ended)
    await grown(store, task)
    assert await store.next_callbacks(10) == []
    assert await store.callback(task.id) == ended


async def test_only_its_progress_is_saved_and_an_unknown_one_is_ignored(store: AnyStore) -> None:
    task, callback = await created(store)
    await store.save_callback(
        replace(callback, position=1, url="https://evil.example/", host="e", kind="k", due=5)
    )
    assert await store.callback(task.id) == replace(callback, position=1, due=5)
    await store.save_callback(a_callback(a_task()))
    assert len(await store.next_callbacks(10)) == 1


@pytest.mark.parametrize("further", [{"position": 2}, {"ended": True}])
async def test_a_process_that_was_stopped_undoes_nothing_of_the_one_that_went_on(
    store: AnyStore, further: dict[str, Any]
) -> None:
    _, callback = await created(store)
    saved = replace(callback, **{"position": 1, "due": 10**13} | further)
    await store.save_callback(saved)
    await store.save_callback(replace(callback, position=1, failures=1, due=5))
    assert await store.callback(callback.task_id) == saved


async def test_statuses_and_saves_at_once_lose_nothing(store: AnyStore) -> None:
    made = [await created(store) for _ in range(50)]
    await asyncio.gather(
        *(store.save_callback(replace(callback, position=1, due=None)) for _, callback in made),
        *(grown(store, task) for task, _ in made),
    )
    assert {callback.task_id for callback in await store.next_callbacks(100)} == {task.id for task, _ in made}


async def test_a_database_of_the_version_before_gets_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gencode.db"
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        before.setattr(schema, "VERSION", 1)
        old = connect(path, 0)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            old.execute("SELECT * FROM callbacks")
        old.close()
    async with open_sqlite(path) as store:
        _, callback = await created(store)
        assert await store.next_callbacks(1) == [callback]


# --- several processes that deliver -----------------------------------------------------------------


async def test_a_callback_is_claimed_once_and_due_again_later(store: AnyStore) -> None:
    await created(store, due=5)
    (found,) = await store.next_callbacks(9)
    claims = [await store.claim_callback(found, 1000), await store.claim_callback(found, 2000)]
    assert claims == [True, False]
    assert await store.next_callbacks(9, due=(0, 999)) == []
    assert await store.next_callbacks(9, due=(0, 1000)) == [replace(found, due=1000)]


@pytest.mark.parametrize(
    "fields", [{"position": 1}, {"failures": 1}, {"due": None}, {"ended": True, "due": None}]
)
async def test_a_callback_that_has_changed_since_it_was_read_is_not_claimed(
    store: AnyStore, fields: dict[str, Any]
) -> None:
    await created(store, due=5)
    (found,) = await store.next_callbacks(9)
    await store.save_callback(replace(found, **fields))
    before = await store.callback(found.task_id)
    assert not await store.claim_callback(found, 1000)
    assert await store.callback(found.task_id) == before


async def test_events_that_come_during_a_delivery_make_a_claimed_callback_due_at_its_end(
    store: AnyStore,
) -> None:
    task, _ = await created(store, due=5)
    (found,) = await store.next_callbacks(9)
    assert await store.claim_callback(found, 1000)
    await grown(store, task)
    assert await store.next_callbacks(9, due=(0, 999)) == []
    await store.save_callback(replace(found, position=1, due=None))
    assert [callback.due for callback in await store.next_callbacks(9)] == [0]
