"""The keeper finds what nobody works on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
import pytest

from gencode.domain.task import State, Task, now
from gencode.engine.ports.fair_queue import Delivery
from gencode.queue.procrastinate.keeper import Keeper
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.queue.procrastinate.timing import QueueTiming
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.servers.queues import OpenQueue, open_queue
from tests.unit.engine.rig import Spelling, new_task

FAST = QueueTiming(stale=4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    store: PostgresStore
    opened: OpenQueue
    keeper: Keeper

    async def jobs(self) -> list[tuple[object, ...]]:
        """Lock and status of every job, oldest first."""
        return await self.opened.rows("SELECT lock, status::text FROM procrastinate_jobs ORDER BY id")

    async def stored(self, **fields: object) -> Task:
        task = new_task(**fields)
        await self.store.create(task, {"prompt": "x"}, [])
        return task


@asynccontextmanager
async def a_bench(dsn: str) -> AsyncIterator[Bench]:
    async with open_postgres(dsn):
        await migrate_queue(dsn)
    async with open_queue(dsn, timing=FAST) as opened, open_postgres(dsn, opened.queue.job_writer) as store:
        yield Bench(
            store=store, opened=opened, keeper=Keeper(opened.app, store, {"letters": Spelling()}, FAST)
        )


@pytest.fixture
async def bench(postgres: str) -> AsyncIterator[Bench]:
    async with a_bench(postgres) as bench:
        yield bench


async def test_a_queued_task_has_a_job_as_soon_as_it_is_stored(bench: Bench) -> None:
    task = await bench.stored()
    assert await bench.jobs() == [(task.id, "todo")]
    await bench.store.commit(replace(task, state=State.RUNNING, version=1))
    await bench.store.commit(replace(task, state=State.RUNNING, version=2))
    assert await bench.jobs() == [(task.id, "todo")]
    await bench.store.commit(replace(task, state=State.QUEUED, version=3))
    assert await bench.jobs() == [(task.id, "todo"), (task.id, "todo")]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
async def test_an_unfinished_task_whose_job_is_gone_gets_another(bench: Bench, state: State) -> None:
    task = await bench.stored(state=state)
    await bench.opened.rows("DELETE FROM procrastinate_jobs")
    for _ in range(2):
        assert await bench.keeper.keep()
        assert await bench.jobs() == [(task.id, "todo")]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.PAUSED, "paused_until": now()},
        {"state": State.SUCCEEDED},
        {"state": State.FAILED},
        {"kind": "of a newer version", "state": State.RUNNING},
        {"stage": "of a newer version", "state": State.RUNNING},
    ],
    ids=["paused", "succeeded", "failed", "unknown kind", "unknown stage"],
)
async def test_other_tasks_get_none(bench: Bench, fields: dict[str, object]) -> None:
    await bench.stored(**fields)
    await bench.keeper.keep()
    assert await bench.jobs() == []


async def test_the_job_of_a_dead_worker_is_delivered_again(bench: Bench) -> None:
    task = await bench.stored()
    await bench.opened.rows(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
    )
    await bench.opened.rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)"
    )
    await bench.keeper.keep()
    assert await bench.jobs() == [(task.id, "todo")]
    assert await bench.opened.rows("SELECT * FROM procrastinate_workers") == []


async def test_a_keeper_that_stands_still_gives_its_place_to_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose process is stopped while it looks."""
    has_the_lock = anyio.Event()

    async def stand_still() -> None:
        has_the_lock.set()
        await anyio.sleep_forever()

    stopped = Keeper(bench.opened.app, bench.store, {}, QueueTiming(stale=0.2))
    monkeypatch.setattr(stopped, "_rescue", stand_still)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(stopped.keep)
            await has_the_lock.wait()
            while not await bench.keeper.keep():
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()


async def test_the_job_of_a_worker_that_is_alive_is_left_to_it(bench: Bench) -> None:
    started = anyio.Event()

    async def handle(delivery: Delivery) -> None:
        started.set()
        await anyio.sleep_forever()

    task = await bench.stored()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.opened.queue.work, handle, 1)
        await started.wait()
        await bench.keeper.keep()
        assert await bench.jobs() == [(task.id, "doing")]
        group.cancel_scope.cancel()


async def test_one_keeper_works_at_a_time(bench: Bench, postgres: str) -> None:
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('gencode keeper', 0))"
    async with bench.keeper._connector.pool.connection() as connection, connection.transaction():
        await connection.execute(lock)
        assert not await bench.keeper.keep()
    assert await bench.keeper.keep()


async def test_a_request_is_looked_after_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Keeper(bench.opened.app, bench.store, {"letters": Spelling()}, QueueTiming(stale=600))
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        await anyio.wait_all_tasks_blocked()
        task = await bench.stored()
        await bench.opened.rows("DELETE FROM procrastinate_jobs")
        keeper.request()
        while await bench.jobs() != [(task.id, "todo")]:
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()


async def test_a_database_that_is_away_ends_no_keeper(bench: Bench) -> None:
    keeper = Keeper(bench.opened.app, bench.store, {"letters": Spelling()}, QueueTiming(stale=600))
    await bench.opened.rows("ALTER TABLE procrastinate_workers RENAME TO gone")
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        await anyio.wait_all_tasks_blocked()
        await bench.opened.rows("ALTER TABLE gone RENAME TO procrastinate_workers")
        task = await bench.stored(state=State.RUNNING)
        keeper.request()
        while await bench.jobs() != [(task.id, "todo")]:
            await anyio.sleep(0.01)
            keeper.request()
        group.cancel_scope.cancel()
