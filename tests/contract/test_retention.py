"""The promises of `gencode.engine.retention.RetentionStore`, checked on every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import Conflict
from gencode.domain.task import State, Task
from gencode.engine.ports.retention_store import FinishedTask, UsageTotal
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.task_ids import earliest_id
from gencode.storage.memory import MemoryStore
from gencode.storage.postgres.store import open_postgres
from gencode.storage.row_store import RowStore
from gencode.storage.sqlite.store import open_sqlite
from tests.unit.storage.samples import REQUEST, a_task, an_event

AnyStore = MemoryStore | RowStore
LONG_AGO = datetime(2026, 1, 31, 12, tzinfo=UTC)
CUTOFF = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "postgres":
        async with open_postgres(request.getfixturevalue("postgres")) as opened:
            yield opened
    else:
        async with open_sqlite(tmp_path / "gencode.db") as opened:
            yield opened


def an_old_task(at: datetime = LONG_AGO, principal: str = "alice", **fields: Any) -> Task:
    """Finished, with an id of its time."""
    task = a_task(principal, **{"state": State.SUCCEEDED, "created_at": at, "updated_at": at, **fields})
    return replace(task, id=earliest_id(at)[:24] + task.id[24:]) if "id" not in fields else task


async def created(store: AnyStore, task: Task, **fields: Any) -> Task:
    return await store.create(task, REQUEST, [an_event(task, 1)], **fields)


async def finished(store: AnyStore, after: str = "", limit: int = 100) -> list[FinishedTask]:
    return await store.finished_tasks(CUTOFF, after, limit)


def key_of(task: Task, value: str = "k") -> IdempotencyKey:
    return IdempotencyKey(principal=task.principal.id, value=value, digest="d")


def callback_of(task: Task, due: int | None) -> Callback:
    return Callback(task_id=task.id, kind="webhook", url="https://a.example", host="a.example", due=due)


async def test_only_what_is_over_and_old_may_be_deleted(store: AnyStore) -> None:
    old = [
        await created(store, an_old_task(LONG_AGO + timedelta(days=n), state=state))
        for n, state in enumerate((State.SUCCEEDED, State.FAILED, State.CANCELLED))
    ]
    for state in (State.QUEUED, State.RUNNING, State.PAUSED):
        await created(store, an_old_task(state=state))
    await created(store, an_old_task(updated_at=CUTOFF))
    await created(store, a_task(state=State.SUCCEEDED))
    assert await finished(store) == [
        FinishedTask(id=task.id, version=0, principal="alice", kind="generate", updated_at=task.updated_at)
        for task in old
    ]
    assert [task.id for task in await finished(store, limit=2)] == [old[0].id, old[1].id]
    assert [task.id for task in await finished(store, after=old[1].id)] == [old[2].id]


async def test_a_callback_that_has_something_to_deliver_keeps_its_task(store: AnyStore) -> None:
    waits, idle, ended = an_old_task(), an_old_task(), an_old_task()
    await created(store, waits, callback=callback_of(waits, due=10**13))
    await created(store, idle, callback=callback_of(idle, due=None))
    await created(store, ended, callback=replace(callback_of(ended, due=None), ended=True))
    may_go = {task.id for task in await finished(store)}
    assert may_go == {idle.id, ended.id}
    waiting = FinishedTask(
        id=waits.id, version=0, principal="alice", kind="generate", updated_at=waits.updated_at
    )
    assert await store.delete_tasks([waiting]) == []


async def test_a_deleted_task_is_gone_with_all_that_belongs_to_it(store: AnyStore) -> None:
    task, other = an_old_task(), an_old_task()
    for each in (task, other):
        await created(store, each, key=key_of(each, each.id), callback=callback_of(each, due=None))
        await store.commit(replace(each, version=1), checkpoints={"plan": "{}"})
    (gone,) = [found for found in await finished(store) if found.id == task.id]
    assert await store.delete_tasks([gone]) == [task.id]
    assert [found.id for found in await store.find(TaskQuery())] == [other.id]
    assert await store.request(task.id) == {}
    assert await store.events(task.id) == []
    assert await store.checkpoints(task.id) == {}
    assert await store.callback(task.id) is None
    assert await store.find_by_key(key_of(task, task.id)) is None
    assert await store.request(other.id) == REQUEST
    assert len(await store.events(other.id)) == 1
    assert await store.checkpoints(other.id) == {"plan": "{}"}
    assert await store.callback(other.id)
    assert await store.find_by_key(key_of(other, other.id))
    assert await store.delete_tasks([gone]) == []
    with pytest.raises(Conflict):
        await store.commit(replace(task, version=2))


async def test_a_task_that_changed_since_it_was_read_stays(store: AnyStore) -> None:
    task = await created(store, an_old_task(state=State.FAILED))
    read = await finished(store)
    retried = replace(task, state=State.QUEUED, version=1)
    _, deleted = await asyncio.gather(store.commit(retried), store.delete_tasks(read))
    assert deleted == []
    assert await store.find(TaskQuery()) == [retried]
    assert await store.usage_totals() == []


async def test_sizes_are_bytes_of_the_texts_that_a_task_has(store: AnyStore) -> None:
    task, empty = an_old_task(), an_old_task()
    await store.create(task, {"a": "生"}, [])
    await store.create(empty, {}, [])
    await store.commit(replace(task, version=1), [an_event(task, 1, x="生")], {"plan": "生生"})
    sizes = await store.task_sizes([task.id, empty.id])
    assert sizes == {task.id: len('{"a":"生"}{"x":"生"}生生'.encode()), empty.id: 2}


# --- usage ------------------------------------------------------------------------------------------


def usage(task: Task, id_: int, prompt: int, cost: str | None) -> Any:
    total = {"prompt": prompt, "completion": 2, "cached": 1, "cost": cost}
    return an_event(task, id_, kind="usage", about="plan", total=total)


async def test_the_last_usage_of_each_deleted_task_is_added_to_the_totals(store: AnyStore) -> None:
    tasks = [
        an_old_task(LONG_AGO, parameters={"model": "m"}),
        an_old_task(LONG_AGO + timedelta(hours=1), parameters={"model": "m"}),
        an_old_task(LONG_AGO + timedelta(days=1), parameters={"model": "m"}),
        an_old_task(LONG_AGO, parameters={"model": "other"}),
        an_old_task(LONG_AGO, "bob", parameters={}),
    ]
    for task in tasks:
        events = [usage(task, 1, 10, "0.1"), usage(task, 2, 100, "0.100001"), an_event(task, 3)]
        await store.create(task, REQUEST, events if task.principal.id == "alice" else [])
    for batch in (tasks[:1], tasks[1:]):
        ids = {task.id for task in batch}
        read = [task for task in await finished(store) if task.id in ids]
        assert {*await store.delete_tasks(read)} == ids
    expected = [
        ("alice", "generate", "m", "2026-01", 2, 200, 4, 2, "0.200002"),
        ("alice", "generate", "m", "2026-02", 1, 100, 2, 1, "0.100001"),
        ("alice", "generate", "other", "2026-01", 1, 100, 2, 1, "0.100001"),
        ("bob", "generate", "", "2026-01", 1, 0, 0, 0, None),
    ]
    assert [tuple(getattr(t, name) for name in UsageTotal.__slots__) for t in await store.usage_totals()] == (
        expected
    )


async def test_usage_that_cannot_be_read_stops_no_deletion(store: AnyStore) -> None:
    task = an_old_task(parameters={"model": 5})
    total = {"prompt": 2**80, "completion": "x", "cached": -1, "cost": "1e999999999"}
    await store.create(task, REQUEST, [an_event(task, 1, kind="usage", total=total)])
    assert await store.delete_tasks(await finished(store)) == [task.id]
    (total_,) = await store.usage_totals()
    assert (total_.model, total_.tasks, total_.prompt_tokens, total_.cost) == ("", 1, 0, None)


# --- idempotency keys -------------------------------------------------------------------------------


async def test_old_keys_are_freed_and_their_tasks_stay(store: AnyStore) -> None:
    old = [an_old_task(LONG_AGO + timedelta(seconds=n)) for n in range(3)]
    new = a_task()
    for n, task in enumerate([*old, new]):
        await created(store, task, key=key_of(task, f"k{n}"))
    assert await store.count_keys(CUTOFF) == 3
    assert await store.delete_keys(CUTOFF, 2) == 2
    assert await store.delete_keys(CUTOFF, 2) == 1
    assert await store.delete_keys(CUTOFF, 2) == 0
    assert await store.find_by_key(key_of(new, "k3")) == new
    again = a_task()
    assert await created(store, again, key=key_of(again, "k0")) == again
    assert len(await store.find(TaskQuery())) == 5
