"""Orphaned tasks are found without a restart, and each is taken up once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from gencode.domain.callback import Callback
from gencode.domain.errors import OutcomeUnknown, StoreError
from gencode.domain.event import Event
from gencode.domain.task import State, Task, now
from gencode.engine import orphan_sweeper
from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.task_log import TaskLog
from tests.unit.engine.rig import (
    FaultyStore,
    Latch,
    RecordingHub,
    Rig,
    Spelling,
    leaving,
    new_task,
    pausing,
)

PROMPT = {"prompt": "a word"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a sweep."""
    monkeypatch.setattr(orphan_sweeper, "FIRST_PAUSE", 0.001)


class Hooked(FaultyStore):
    """Calls `after_create` when the creation is stored, before it returns, and `after_find` likewise."""

    after_create: Callable[[], Awaitable[None]] | None = None
    after_find: Callable[[TaskQuery], Awaitable[None]] | None = None

    async def create(
        self,
        task: Task,
        request: Mapping[str, Any],
        events: Sequence[Event],
        key: IdempotencyKey | None = None,
        callback: Callback | None = None,
    ) -> Task:
        stored = await super().create(task, request, events, key, callback)
        if self.after_create:
            await self.after_create()
        return stored

    async def find(self, query: TaskQuery) -> list[Task]:
        found = await super().find(query)
        if self.after_find:
            await self.after_find(query)
        return found


# --- submissions ------------------------------------------------------------------------------------


async def test_a_submission_that_is_cancelled_natively_is_run_all_the_same() -> None:
    """51 of 60 tasks stayed pending behind a timeout middleware until a restart (review, point 3)."""
    rig = Rig()
    rig.store.detached = True
    async with rig.running() as service:
        tasks = [new_task() for _ in range(5)]
        for task in tasks:
            rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
            async with leaving(service.submit(task, PROMPT)):
                await rig.store.asked.wait()
                rig.store.gate.set()
        for task in tasks:
            await stored(rig, task)
            assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.idle()
        assert (rig.pipeline.started["w"], rig.counted("completed")) == (5, 5)


@pytest.mark.usefixtures("quick")
async def test_a_creation_that_reaches_the_store_after_the_first_sweep_is_found_by_a_later_one() -> None:
    swept = anyio.Event()

    async def listed(query: TaskQuery) -> None:
        if query.states and not query.id:
            swept.set()

    store = Hooked()
    store.detached = True
    rig = Rig(store=store)
    async with rig.running() as service:
        store.gate, store.asked = anyio.Event(), anyio.Event()
        task = new_task()
        async with leaving(service.submit(task, PROMPT)):
            await store.asked.wait()
        store.after_find = listed
        await swept.wait()
        store.gate.set()
        await stored(rig, task)
        assert (await rig.finished(task)).state is State.SUCCEEDED


@pytest.mark.parametrize("outcome", ["stored", "lost"])
async def test_a_submission_of_unknown_outcome_is_run_if_it_was_stored(outcome: str) -> None:
    rig = Rig()
    async with rig.running() as service:
        task = new_task()
        rig.store.refusals, rig.store.outcome = 1, outcome  # type: ignore[assignment]
        with pytest.raises(OutcomeUnknown):
            await service.submit(task, PROMPT)
        if outcome == "stored":
            assert (await rig.finished(task)).state is State.SUCCEEDED
        else:
            await anyio.wait_all_tasks_blocked()
            assert await rig.store.find(TaskQuery(id=task.id)) == []
        await rig.finished(await rig.submit())


async def test_a_key_still_names_the_task_whose_submission_was_cancelled() -> None:
    rig = Rig()
    rig.store.detached = True
    async with rig.running() as service:
        key = IdempotencyKey(principal="alice", value="k", digest="d")
        first = new_task()
        rig.store.asked = anyio.Event()
        rig.store.gate = anyio.Event()
        async with leaving(service.submit(first, PROMPT, key)):
            await rig.store.asked.wait()
            rig.store.gate.set()
        assert (await service.submit(new_task(), PROMPT, key)).id == first.id
        assert (await rig.finished(first)).state is State.SUCCEEDED
        await rig.idle()
        assert rig.pipeline.started["w"] == 1


async def stored(rig: Rig, task: Task) -> None:
    while not await rig.store.inner.find(TaskQuery(id=task.id)):
        await anyio.sleep(0)


# --- no orphans -------------------------------------------------------------------------------------


async def test_a_task_that_is_being_submitted_is_left_to_its_caller() -> None:
    store = Hooked()
    rig = Rig(store=store)
    async with rig.running() as service:

        async def sweep() -> None:
            assert await service._recovery.sweep() == 0

        store.after_create = sweep
        await rig.finished(await rig.submit())
        assert rig.pipeline.started["w"] == 1


async def test_queued_running_and_paused_tasks_are_left_where_they_are() -> None:
    latch = Latch()
    rig = Rig(Spelling(x=pausing()), concurrency=1)
    async with rig.running() as service:
        paused = await rig.paused(await rig.submit())
        rig.pipeline.acts = {"w": latch}
        await rig.submit()
        await latch.entered.wait()
        await rig.submit()
        before = (service.waiting, service.running, service.paused)
        assert before == (1, 1, 1)
        assert [await service._recovery.sweep() for _ in range(3)] == [0, 0, 0]
        assert (service.waiting, service.running, service.paused) == before
        assert await rig.task(paused) == paused
        latch.released.set()


async def test_a_task_that_moves_on_while_it_is_swept_is_not_taken_up() -> None:
    """The list of candidates is stale by the time each is looked at."""
    store = Hooked()
    rig = Rig(store=store)
    async with rig.running() as service:
        orphan = new_task()
        await store.inner.create(orphan, PROMPT, [])

        async def run_meanwhile(query: TaskQuery) -> None:
            if query.states and not query.id:
                store.after_find = None
                rig.queue.put(orphan.id, "alice")
                await rig.finished(orphan)
                await rig.idle()

        store.after_find = run_meanwhile
        assert await service._recovery.sweep() == 0
        await rig.idle()
        assert (rig.pipeline.started["w"], rig.counted("completed")) == (1, 1)


async def test_a_task_that_is_started_and_ends_while_it_is_swept_is_not_taken_up() -> None:
    """What the store returns may be older than what the process knows by then."""
    store, latch = Hooked(), Latch()
    rig = Rig(Spelling(w=latch), store)
    async with rig.running() as service:
        orphan = new_task()
        await store.inner.create(orphan, PROMPT, [])

        async def meanwhile(query: TaskQuery) -> None:
            if query.before:  # the second page: the task is a candidate already
                rig.queue.put(orphan.id, "alice")
                await latch.entered.wait()
            elif query.states and query.id:
                latch.released.set()
                await rig.finished(orphan)
                await rig.idle()

        store.after_find = meanwhile
        assert await service._recovery.sweep() == 0
        latch.released.set()
        await rig.finished(orphan)


async def test_sweeps_at_once_take_a_task_up_once() -> None:
    rig = Rig()
    async with rig.running() as service:
        orphans = [new_task() for _ in range(4)]
        for orphan in orphans:
            await rig.store.inner.create(orphan, PROMPT, [])
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(service._recovery.sweep)
        for orphan in orphans:
            await rig.finished(orphan)
        await rig.idle()
        assert (rig.pipeline.started["w"], rig.counted("completed")) == (4, 4)


# --- orphans ----------------------------------------------------------------------------------------


async def test_orphans_are_taken_up_oldest_first_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphan_sweeper, "PAGE", 2)
    rig = Rig(concurrency=1)
    started: list[str] = []
    original = rig.executor.run

    async def run(task_log: TaskLog, owner: str) -> None:
        started.append(task_log.task.id)
        await original(task_log, owner)

    rig.executor.run = run  # type: ignore[method-assign]
    async with rig.running() as service:
        orphans = [new_task(state=state) for state in (State.QUEUED, State.RUNNING) * 3]
        for orphan in orphans:
            await rig.store.inner.create(orphan, PROMPT, [])
        assert await service._recovery.sweep() == 6
        await rig.idle()
    assert started == [orphan.id for orphan in orphans]


async def test_a_paused_orphan_is_paused_again_and_expires_in_time() -> None:
    rig = Rig()
    async with rig.running() as service:
        late, early = (
            new_task(state=State.PAUSED, stage="check", paused_until=now() + timedelta(hours=hours))
            for hours in (1, -1)
        )
        for task in (late, early):
            await rig.store.inner.create(task, PROMPT, [])
        assert await service._recovery.sweep() == 2
        assert (await rig.finished(early)).status == "failed"
        assert ((await rig.task(late)).state, service.paused) == (State.PAUSED, 1)


async def test_a_task_that_is_paused_here_and_was_approved_elsewhere_is_run() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await rig.paused(await rig.submit())
        await rig.executor.approve(TaskLog(task, rig.store, RecordingHub()), StageUpdate())
        assert await service._recovery.sweep() == 1
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert service.paused == 0


async def test_a_task_that_a_conflict_left_is_taken_up_by_the_next_sweep() -> None:
    async def write_too(emit: Emit) -> None:
        rig.pipeline.acts.clear()
        other = TaskLog(await rig.task(task), rig.store.inner, RecordingHub())
        await other.release()

    rig = Rig(Spelling(x=write_too))
    async with rig.running() as service:
        task = await rig.submit()
        while rig.pipeline.acts:
            await anyio.sleep(0)
        await rig.idle()
        assert (await rig.task(task)).state is State.QUEUED
        assert await service._recovery.sweep() == 1
        assert (await rig.finished(task)).state is State.SUCCEEDED


# --- a sweep that fails -----------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [StoreError("away"), ZeroDivisionError()])
async def test_a_sweep_that_fails_is_repeated_and_stops_nothing(error: Exception) -> None:
    store = Hooked()
    rig = Rig(store=store)
    failures = [error] * 3

    async def fail(query: TaskQuery) -> None:
        if query.states and failures:
            raise failures.pop()

    with capture_logs():
        async with rig.running() as service:
            orphan = new_task()
            await store.inner.create(orphan, PROMPT, [])
            store.after_find = fail
            service._recovery.request()
            assert (await rig.finished(orphan)).state is State.SUCCEEDED
            assert service.accepting
    assert failures == []


# --- locks ------------------------------------------------------------------------------------------


async def test_a_lock_exists_while_somebody_holds_or_awaits_it() -> None:
    locks, order = KeyedLocks(), []

    async def hold(key: str, until: anyio.Event) -> None:
        async with locks(key):
            order.append(key)
            await until.wait()

    first, second = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(hold, "a", first)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(hold, "a", second)
        group.start_soon(hold, "b", second)
        await anyio.wait_all_tasks_blocked()
        assert (order, "a" in locks, "b" in locks) == (["a", "b"], True, True)
        first.set()
        await anyio.wait_all_tasks_blocked()
        assert (order, "a" in locks) == (["a", "b", "a"], True)
        second.set()
    assert ("a" in locks, "b" in locks) == (False, False)


async def test_a_waiter_that_is_cancelled_leaves_no_lock_behind() -> None:
    locks = KeyedLocks()
    async with locks("a"):
        waiter = asyncio.create_task(once(locks))
        await anyio.wait_all_tasks_blocked()
        waiter.cancel()
        await asyncio.wait([waiter])
        assert "a" in locks
    assert "a" not in locks


async def once(locks: KeyedLocks) -> None:
    async with locks("a"):
        pass
