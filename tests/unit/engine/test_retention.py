from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.task import State, Task
from gencode.engine import retention
from gencode.engine.ports.retention_store import FinishedTask
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.retention import Retention, RetentionPolicy, RetentionReport
from gencode.engine.task_ids import earliest_id
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import REQUEST, a_task, an_event

NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Sleeps:
    """Records the pauses; stops a loop after some of them."""

    def __init__(self, limit: int = 10**9) -> None:
        self.seconds: list[float] = []
        self._limit = limit

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self._limit:
            raise StopAsyncIteration


async def a_finished_task(store: MemoryStore, days: float, principal: str = "alice") -> Task:
    at = NOW - timedelta(days=days)
    task = a_task(principal, state=State.SUCCEEDED, created_at=at, updated_at=at)
    task = replace(task, id=earliest_id(at)[:24] + task.id[24:])
    key = IdempotencyKey(principal=principal, value=task.id, digest="d")
    return await store.create(task, REQUEST, [an_event(task, 1)], key)


async def applied(store: MemoryStore, policy: RetentionPolicy, *, dry_run: bool = False) -> RetentionReport:
    return await Retention(store, policy, lambda: NOW, Sleeps()).apply(dry_run=dry_run)


async def ids(store: MemoryStore) -> set[str]:
    return {task.id for task in await store.find(TaskQuery())}


async def test_by_default_nothing_is_deleted() -> None:
    store = MemoryStore()
    await a_finished_task(store, 10_000)
    report = await applied(store, RetentionPolicy())
    assert (report.tasks, report.keys) == (0, 0)
    assert len(await ids(store)) == 1


async def test_what_is_older_than_the_age_is_deleted() -> None:
    store = MemoryStore()
    old, young = await a_finished_task(store, 30.1), await a_finished_task(store, 29.9)
    report = await applied(store, RetentionPolicy(days=30))
    assert await ids(store) == {young.id}
    assert report.tasks == 1
    assert report.bytes > 0
    assert old.id not in await ids(store)


async def test_clients_may_have_ages_of_their_own() -> None:
    store = MemoryStore()
    kept = [
        await a_finished_task(store, 20),
        await a_finished_task(store, 5000, "audit"),
        await a_finished_task(store, 5, "ci"),
    ]
    gone = [await a_finished_task(store, 40), await a_finished_task(store, 8, "ci")]
    policy = RetentionPolicy(days=30, days_by_principal={"ci": 7, "audit": 0})
    report = await applied(store, policy)
    assert await ids(store) == {task.id for task in kept}
    assert report.tasks == len(gone)
    assert {name: deleted.tasks for name, deleted in report.deleted.items()} == {
        ("alice", "generate"): 1,
        ("ci", "generate"): 1,
    }


async def test_an_age_for_one_client_alone_leaves_the_others() -> None:
    store = MemoryStore()
    await a_finished_task(store, 5000)
    await a_finished_task(store, 8, "ci")
    assert (await applied(store, RetentionPolicy(days_by_principal={"ci": 7}))).tasks == 1
    assert (await applied(store, RetentionPolicy(days=1, principals=["bob"]))).tasks == 0


async def test_a_dry_run_says_the_same_and_deletes_nothing() -> None:
    store = MemoryStore()
    for days in (50, 40, 10):
        await a_finished_task(store, days)
    policy = RetentionPolicy(days=30, key_days=20)
    before = await ids(store)
    dry = await applied(store, policy, dry_run=True)
    assert await ids(store) == before
    assert await store.usage_totals() == []
    assert dry.tasks == 2
    assert dry.keys == 2
    assert await applied(store, policy) == dry


async def test_idempotency_keys_expire_by_themselves() -> None:
    store = MemoryStore()
    old, young = await a_finished_task(store, 31), await a_finished_task(store, 29)
    assert (await applied(store, RetentionPolicy(key_days=30))).keys == 1
    for task, known in ((old, False), (young, True)):
        key = IdempotencyKey(principal="alice", value=task.id, digest="d")
        assert bool(await store.find_by_key(key)) == known
    assert len(await ids(store)) == 2


async def test_many_tasks_are_deleted_in_small_batches_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 7)
    monkeypatch.setattr(retention, "BATCH", 3)
    batches: list[int] = []

    class Counted(MemoryStore):
        async def delete_tasks(self, tasks: Sequence[FinishedTask]) -> list[str]:
            batches.append(len(tasks))
            return await super().delete_tasks(tasks)

    store, sleeps = Counted(), Sleeps()
    for _ in range(17):
        await a_finished_task(store, 50)
    report = await Retention(store, RetentionPolicy(days=30), lambda: NOW, sleeps).apply()
    assert report.tasks == 17
    assert batches == [3, 3, 1, 3, 3, 1, 3]
    assert sleeps.seconds == [retention.PAUSE] * len(batches)


async def test_the_loop_goes_on_after_the_store_refused() -> None:
    class Refusing(MemoryStore):
        refusals = 1

        async def finished_tasks(
            self, updated_before: datetime, after: str, limit: int
        ) -> list[FinishedTask]:
            if self.refusals:
                self.refusals -= 1
                raise StoreError("no")
            return await super().finished_tasks(updated_before, after, limit)

    store, sleeps = Refusing(), Sleeps(limit=3)
    await a_finished_task(store, 50)
    with pytest.raises(StopAsyncIteration):
        await Retention(store, RetentionPolicy(days=30), lambda: NOW, sleeps).run()
    assert sleeps.seconds == [retention.INTERVAL, retention.PAUSE, retention.INTERVAL]
    assert await ids(store) == set()


async def test_the_loop_ends_when_it_is_cancelled() -> None:
    with anyio.move_on_after(0.01) as scope:
        await Retention(MemoryStore(), RetentionPolicy()).run()
    assert scope.cancelled_caught


async def test_one_process_of_a_store_runs_at_a_time() -> None:
    store, lock = MemoryStore(), anyio.Lock()
    await a_finished_task(store, 31)

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        async with lock:
            yield

    runs = Retention(store, RetentionPolicy(days=30), lambda: NOW, Sleeps(limit=2), lock=locked)
    async with anyio.create_task_group() as group, lock:
        group.start_soon(_until_it_sleeps, runs)
        await anyio.wait_all_tasks_blocked()
        assert len(await ids(store)) == 1
    assert not await ids(store)


async def _until_it_sleeps(runs: Retention) -> None:
    with suppress(StopAsyncIteration):
        await runs.run()
