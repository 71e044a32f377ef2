"""Two processes on one database: each store has connections of its own, as another process would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import Conflict, IdempotencyKeyReused, StoreError
from gencode.domain.task import State, Task
from gencode.engine.ports.retention_store import FinishedTask
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.postgres import connection
from gencode.storage.postgres.statements import LOCK_TOTALS
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.unit.storage.postgres.stores import created, next_version, someone_waits_for_a_lock
from tests.unit.storage.samples import REQUEST, a_task, an_event

Stores = tuple[PostgresStore, PostgresStore]


@pytest.fixture
async def stores(postgres: str) -> AsyncIterator[Stores]:
    async with open_postgres(postgres) as one, open_postgres(postgres) as other:
        yield one, other


async def test_what_one_has_written_the_other_reads_at_once(stores: Stores) -> None:
    for one, other in (stores, stores[::-1]):
        task = await created(one)
        assert await other.find(TaskQuery(id=task.id)) == [task]
        await one.commit(next_version(task, message="x"), [an_event(task, 2)], {"plan": "{}"})
        assert (await other.find(TaskQuery(id=task.id)))[0].message == "x"
        assert [event.id for event in await other.events(task.id)] == [1, 2]
        assert await other.checkpoints(task.id) == {"plan": "{}"}


async def test_the_second_of_two_commits_of_one_version_is_a_conflict(stores: Stores) -> None:
    one, other = stores
    task = await created(one)
    await one.commit(next_version(task, message="first"), [an_event(task, 2)])
    with pytest.raises(Conflict):
        await other.commit(next_version(task, message="second"), [an_event(task, 3)])
    assert await other.find(TaskQuery()) == [next_version(task, message="first")]
    assert [event.id for event in await one.events(task.id)] == [1, 2]


async def test_of_commits_at_the_same_time_one_wins_each_task(stores: Stores) -> None:
    """In opposite orders: the stores must not wait for each other."""
    one, other = stores
    tasks = list(await asyncio.gather(*(created(one) for _ in range(100))))

    async def commit_all(store: PostgresStore, order: list[Task], message: str) -> list[object]:
        commits = (store.commit(next_version(task, message=message), [an_event(task, 2)]) for task in order)
        outcomes = await asyncio.gather(*commits, return_exceptions=True)
        return outcomes if order is tasks else outcomes[::-1]

    outcomes = await asyncio.gather(commit_all(one, tasks, "one"), commit_all(other, tasks[::-1], "other"))
    found = {task.id: task.message for task in await one.find(TaskQuery())}
    for task, *pair in zip(tasks, *outcomes, strict=True):
        assert sorted(type(outcome).__name__ for outcome in pair) == ["Conflict", "NoneType"]
        assert found[task.id] == ("one" if pair[0] is None else "other")


async def test_one_key_in_two_stores_at_the_same_time_makes_one_task(stores: Stores) -> None:
    for round_ in range(20):
        key = IdempotencyKey(principal="alice", value=f"k-{round_}", digest="d")
        tasks = [a_task() for _ in stores]
        made = await asyncio.gather(
            *(
                store.create(task, REQUEST, [an_event(task, 1)], key)
                for store, task in zip(stores, tasks, strict=True)
            )
        )
        assert made[0] == made[1]
        assert made[0] in tasks
        (lost,) = (task for task in tasks if task != made[0])
        assert await stores[0].find(TaskQuery(id=lost.id)) == []
        assert await stores[0].events(lost.id) == []


async def test_many_keys_in_opposite_orders_make_one_task_each(stores: Stores) -> None:
    keys = [IdempotencyKey(principal="alice", value=f"k-{n}", digest="d") for n in range(100)]

    async def create_all(store: PostgresStore, order: list[IdempotencyKey]) -> dict[str, str]:
        made = await asyncio.gather(*(store.create(a_task(), REQUEST, [], key) for key in order))
        return {key.value: task.id for key, task in zip(order, made, strict=True)}

    one, other = await asyncio.gather(create_all(stores[0], keys), create_all(stores[1], keys[::-1]))
    assert one == other
    assert len(await stores[0].find(TaskQuery(limit=1000))) == 100


async def test_a_key_waits_for_the_other_process_to_commit_its_task(postgres: str, stores: Stores) -> None:
    """Whoever comes second gets the first one's task, or stores its own if the first one gives up."""
    for commits in (True, False):
        key = IdempotencyKey(principal="alice", value=str(commits), digest="d")
        first, second = await created(stores[0]), a_task()
        async with await psycopg.AsyncConnection.connect(postgres) as process:
            await process.execute(
                "INSERT INTO gencode.idempotency_keys VALUES ('alice', %s, 'd', %s)", (key.value, first.id)
            )
            caller = asyncio.create_task(stores[1].create(second, REQUEST, [], key))
            await someone_waits_for_a_lock(postgres)
            await (process.commit() if commits else process.rollback())
        assert await caller == (first if commits else second)


async def test_a_key_of_another_body_that_the_other_process_used_is_refused(stores: Stores) -> None:
    key = IdempotencyKey(principal="alice", value="k", digest="one")
    await stores[0].create(a_task(), REQUEST, [], key)
    with pytest.raises(IdempotencyKeyReused):
        await stores[1].create(a_task(), REQUEST, [], replace(key, digest="two"))


async def test_a_task_that_another_process_holds_for_long_holds_up_no_other(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process was stopped within its transaction."""
    monkeypatch.setattr(connection, "_BEGIN", connection._BEGIN.replace("'5s'", "'100ms'"))
    async with open_postgres(postgres) as store:
        held, free = [await created(store) for _ in range(2)]
        async with await psycopg.AsyncConnection.connect(postgres) as process:
            await process.execute("SELECT FROM gencode.tasks WHERE id = %s FOR UPDATE", (held.id,))
            outcomes = await asyncio.gather(
                store.commit(next_version(held)), store.commit(next_version(free)), return_exceptions=True
            )
        assert [type(outcome) for outcome in outcomes] == [StoreError, type(None)]
        await store.commit(next_version(held))


async def test_a_process_that_stops_within_its_transaction_loses_its_locks(
    postgres: str, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_BEGIN", connection._BEGIN.replace("'10s'", "'100ms'"))
    stopped_within, go_on = asyncio.Event(), asyncio.Event()

    async def stop(connection: psycopg.AsyncConnection[Any], tasks: Sequence[tuple[str, str]]) -> None:
        stopped_within.set()
        await go_on.wait()

    task = await created(stores[0], state=State.PAUSED)
    async with open_postgres(postgres, stop) as stopped:
        late = asyncio.create_task(stopped.commit(next_version(task, state=State.QUEUED)))
        await stopped_within.wait()
        await stores[0].commit(next_version(task, message="the other one's"))
        go_on.set()
        with pytest.raises(StoreError):
            await late
    (found,) = await stores[0].find(TaskQuery())
    assert (found.version, found.message) == (1, "the other one's")


async def test_a_deadlock_with_another_process_is_tried_again(postgres: str, stores: Stores) -> None:
    one, other = sorted([await created(stores[0]) for _ in range(2)], key=lambda task: task.id)
    update = "UPDATE gencode.tasks SET trace = 'x' WHERE id = %s"
    async with await psycopg.AsyncConnection.connect(postgres) as process:
        await process.execute("SET LOCAL deadlock_timeout = '60s'")  # the store is the one that is refused
        await process.execute(update, (other.id,))
        commits = asyncio.gather(*(stores[0].commit(next_version(task)) for task in (one, other)))
        await someone_waits_for_a_lock(postgres)
        await process.execute(update, (one.id,))
    await commits
    assert [task.version for task in await stores[1].find(TaskQuery())] == [1, 1]


async def test_events_that_another_process_commits_during_a_delivery_are_delivered(
    postgres: str, stores: Stores
) -> None:
    """The delivery is saved while the other process is about to commit an event: the callback stays due."""
    task = a_task(sequence=1)
    callback = Callback(task_id=task.id, kind="webhook", url="https://a.example", host="a.example:443")
    await stores[0].create(task, REQUEST, [an_event(task, 1)], callback=callback)
    async with await psycopg.AsyncConnection.connect(postgres) as process:
        await process.execute("UPDATE gencode.tasks SET sequence = 2 WHERE id = %s", (task.id,))
        saving = asyncio.create_task(stores[1].save_callback(replace(callback, position=1, due=None)))
        await someone_waits_for_a_lock(postgres)
    await saving
    assert [found.position for found in await stores[0].next_callbacks(10)] == [1]


async def test_totals_count_what_two_processes_delete_at_the_same_time(stores: Stores, postgres: str) -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    task = await created(stores[0], state=State.SUCCEEDED, created_at=at, updated_at=at)
    wanted = FinishedTask(id=task.id, version=0, principal="alice", kind=task.kind, updated_at=at)
    async with await psycopg.AsyncConnection.connect(postgres) as process:
        await process.execute(LOCK_TOTALS)
        await process.execute(
            "INSERT INTO gencode.usage_totals VALUES ('alice', 'generate', 'm', '2026-01', 6, 0, 0, 0, NULL)"
        )
        deleting = asyncio.create_task(stores[0].delete_tasks([wanted]))
        await someone_waits_for_a_lock(postgres)
    assert await deleting == [task.id]
    assert [total.tasks for total in await stores[1].usage_totals()] == [7]


async def test_of_two_processes_that_delete_the_same_tasks_each_task_is_counted_once(stores: Stores) -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    tasks = [await created(stores[0], state=State.SUCCEEDED, created_at=at, updated_at=at) for _ in range(40)]
    wanted = [
        FinishedTask(id=task.id, version=0, principal="alice", kind=task.kind, updated_at=at)
        for task in tasks
    ]
    deleted = await asyncio.gather(
        *(stores[n // 5 % 2].delete_tasks(wanted[n : n + 10]) for n in range(0, 40, 5))
    )
    assert sorted(id_ for ids in deleted for id_ in ids) == sorted(task.id for task in tasks)
    assert [total.tasks for total in await stores[0].usage_totals()] == [40]
