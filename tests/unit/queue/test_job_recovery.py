"""Job recovery finds jobs of dead workers and tasks without a job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import anyio
import pytest
from procrastinate import utils

from gencode.domain.task import State, Task, now
from gencode.engine.ports.fair_queue import Delivery
from gencode.engine.ports.store import TaskQuery
from gencode.queue.procrastinate import job_recovery as module
from gencode.queue.procrastinate.job_recovery import JobRecovery
from gencode.queue.procrastinate.schema import migrate_queue
from gencode.queue.procrastinate.worker_timeouts import WorkerTimeouts
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.servers.queues import OpenQueue, open_queue
from tests.unit.engine.rig import Spelling, new_task

FAST = WorkerTimeouts(stale=4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    store: PostgresStore
    opened: OpenQueue
    recovery: JobRecovery

    async def jobs(self) -> list[tuple[object, ...]]:
        """Lock and status of every job, oldest first."""
        return await self.opened.rows("SELECT lock, status::text FROM procrastinate_jobs ORDER BY id")

    async def stored(self, **fields: Any) -> Task:
        task = new_task(**fields)
        await self.store.create(task, {"prompt": "x"}, [])
        return task


@asynccontextmanager
async def a_bench(dsn: str) -> AsyncIterator[Bench]:
    async with open_postgres(dsn):
        await migrate_queue(dsn)
    async with open_queue(dsn, timeouts=FAST) as opened, open_postgres(dsn, opened.queue.job_writer) as store:
        yield Bench(
            store=store, opened=opened, recovery=JobRecovery(opened.app, store, {"letters": Spelling()}, FAST)
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
        assert await bench.recovery.run_once()
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
    await bench.recovery.run_once()
    assert await bench.jobs() == []


async def test_the_job_of_a_dead_worker_is_delivered_again(bench: Bench) -> None:
    task = await bench.stored()
    await bench.opened.rows(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
    )
    await bench.opened.rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)"
    )
    await bench.recovery.run_once()
    assert await bench.jobs() == [(task.id, "todo")]
    assert await bench.opened.rows("SELECT * FROM procrastinate_workers") == []


async def test_a_stopped_process_loses_the_lock_of_recovery(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is stopped (SIGSTOP) during a run."""
    has_the_lock = anyio.Event()

    async def block(connection: object) -> None:
        has_the_lock.set()
        await anyio.sleep_forever()

    stopped = JobRecovery(bench.opened.app, bench.store, {}, WorkerTimeouts(stale=0.2))
    monkeypatch.setattr(stopped, "_rescue", block)
    with anyio.fail_after(120):
        async with anyio.create_task_group() as group:
            group.start_soon(stopped.run_once)
            await has_the_lock.wait()
            while not await bench.recovery.run_once():
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
        await bench.recovery.run_once()
        assert await bench.jobs() == [(task.id, "doing")]
        group.cancel_scope.cancel()


async def test_one_process_recovers_at_a_time(bench: Bench, postgres: str) -> None:
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('gencode keeper', 0))"
    async with bench.recovery._connector.pool.connection() as connection, connection.transaction():
        await connection.execute(lock)
        assert not await bench.recovery.run_once()
    assert await bench.recovery.run_once()


async def test_a_request_starts_a_run_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    recovery = JobRecovery(bench.opened.app, bench.store, {"letters": Spelling()}, WorkerTimeouts(stale=600))
    async with anyio.create_task_group() as group:
        group.start_soon(recovery.run)
        await anyio.wait_all_tasks_blocked()
        task = await bench.stored()
        await bench.opened.rows("DELETE FROM procrastinate_jobs")
        recovery.request()
        while await bench.jobs() != [(task.id, "todo")]:
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()


async def test_recovery_survives_an_unreachable_database(bench: Bench) -> None:
    recovery = JobRecovery(bench.opened.app, bench.store, {"letters": Spelling()}, WorkerTimeouts(stale=600))
    await bench.opened.rows("ALTER TABLE procrastinate_workers RENAME TO gone")
    async with anyio.create_task_group() as group:
        group.start_soon(recovery.run)
        await anyio.wait_all_tasks_blocked()
        await bench.opened.rows("ALTER TABLE gone RENAME TO procrastinate_workers")
        task = await bench.stored(state=State.RUNNING)
        recovery.request()
        while await bench.jobs() != [(task.id, "todo")]:
            await anyio.sleep(0.01)
            recovery.request()
        group.cancel_scope.cancel()


async def test_recovery_survives_an_unexpected_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a row that cannot be read."""
    recovery = JobRecovery(bench.opened.app, bench.store, {"letters": Spelling()}, WorkerTimeouts(stale=600))
    original, failed = recovery.run_once, anyio.Event()

    async def fail() -> bool:
        monkeypatch.setattr(recovery, "run_once", original)
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(recovery, "run_once", fail)
    async with anyio.create_task_group() as group:
        group.start_soon(recovery.run)
        await failed.wait()
        task = await bench.stored(state=State.RUNNING)
        while await bench.jobs() != [(task.id, "todo")]:
            recovery.request()
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()


# --- what is left over ------------------------------------------------------------------------------

ALIVE, DEAD = "now()", "now() - interval '1 hour'"


async def a_worker(bench: Bench, heartbeat: str = ALIVE) -> str:
    """Its name as an owner."""
    added = f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat}) RETURNING id"
    [(worker,)] = await bench.opened.rows(added)
    return str(worker)


@pytest.mark.parametrize(("started", "status"), [("1 hour", "todo"), ("1 second", "doing")])
async def test_a_job_that_a_worker_has_without_its_task_is_delivered_again(
    bench: Bench, started: str, status: str
) -> None:
    """The worker is alive. The answer to its fetching was lost, or its word that the job has ended. One that
    has just fetched a job does not own the task yet."""
    task, worker = await bench.stored(), await a_worker(bench)
    await bench.opened.rows(f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = {worker}")
    await bench.opened.rows(f"UPDATE procrastinate_events SET at = at - interval '{started}'")
    await bench.recovery.run_once()
    assert await bench.jobs() == [(task.id, status)]


async def test_a_job_whose_worker_owns_the_task_is_left_to_it(bench: Bench) -> None:
    task, worker = await bench.stored(), await a_worker(bench)
    await bench.store.commit(replace(task, state=State.RUNNING, version=1, owner=worker))
    await bench.opened.rows(f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = {worker}")
    await bench.opened.rows("UPDATE procrastinate_events SET at = at - interval '1 hour'")
    await bench.recovery.run_once()
    assert await bench.jobs() == [(task.id, "doing")]


@pytest.mark.parametrize(
    ("heartbeat", "seconds", "waits"),
    [
        pytest.param(ALIVE, 2, True, id="the owner is alive"),
        pytest.param(DEAD, 2, False, id="the owner is dead"),
        pytest.param(ALIVE, 3600, False, id="by a clock that is wrong"),
    ],
)
async def test_a_delivery_waits_no_longer_than_its_owner_lives(
    bench: Bench, heartbeat: str, seconds: int, waits: bool
) -> None:
    task, owner = await bench.stored(), await a_worker(bench, heartbeat)
    await bench.store.commit(replace(task, state=State.RUNNING, version=1, owner=owner))
    await bench.opened.rows(f"UPDATE procrastinate_jobs SET scheduled_at = now() + interval '{seconds} s'")
    await bench.recovery.run_once()
    assert await bench.opened.rows("SELECT scheduled_at IS NOT NULL FROM procrastinate_jobs") == [(waits,)]


async def test_a_rescued_job_is_due_whatever_the_clock_of_the_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, "utcnow", lambda: now() + timedelta(hours=1))
    task, worker = await bench.stored(), await a_worker(bench, DEAD)
    await bench.opened.rows(f"UPDATE procrastinate_jobs SET status = 'doing', worker_id = {worker}")
    await bench.recovery.run_once()
    due = "SELECT lock FROM procrastinate_jobs WHERE coalesce(scheduled_at <= now(), true)"
    assert await bench.opened.rows(due) == [(task.id,)]


async def test_a_cancelled_task_has_no_job_and_no_start_tag(bench: Bench) -> None:
    """A burst that is cancelled does not put the principal's next task behind everybody's."""
    burst = [await bench.stored() for _ in range(20)]
    for task in burst:
        await bench.store.commit(replace(task, state=State.CANCELLED, version=1))
    others = [(await bench.stored(principal="bob")).id for _ in range(5)]
    await bench.recovery.run_once()
    again = await bench.stored()
    rows = await bench.opened.rows("SELECT lock FROM procrastinate_jobs ORDER BY priority DESC, id")
    assert [lock for (lock,) in rows] == [*others[:2], again.id, *others[2:]]


async def test_nothing_is_left_of_a_queue_that_was_empty(bench: Bench) -> None:
    task = await bench.stored()
    await bench.store.commit(replace(task, state=State.CANCELLED, version=1))
    await bench.recovery.run_once()
    assert await bench.jobs() == []
    assert await bench.opened.rows("SELECT * FROM gencode.queue_turns") == []


async def test_tasks_that_nobody_knows_hide_no_orphan(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ORPHANS", 2)
    for _ in range(3):
        await bench.stored(kind="of a newer version")
    task = await bench.stored()
    await bench.opened.rows("DELETE FROM procrastinate_jobs")
    for _ in range(2):
        await bench.recovery.run_once()
    assert await bench.jobs() == [(task.id, "todo")]


async def test_a_sweep_holds_up_no_submission(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The principal of an orphan submits while the others are read."""
    tasks = [await bench.stored() for _ in range(3)]
    await bench.opened.rows("DELETE FROM procrastinate_jobs")
    find = bench.store.find

    async def find_slowly(query: TaskQuery) -> list[Task]:
        await bench.opened.put(("another", tasks[0].principal.id))
        return await find(query)

    monkeypatch.setattr(bench.store, "find", find_slowly)
    await bench.recovery.run_once()
    locks = [lock for lock, _ in await bench.jobs()]
    assert {task.id for task in tasks} <= set(locks)
