"""Tasks that workers of several processes could run: who owns one, and what the others do meanwhile."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from gencode.domain.errors import AlreadyFinished, Conflict
from gencode.domain.task import State, Task, now
from gencode.engine.ports.fair_queue import Delivery, Handler, Undelivered
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.engine.task_log import TaskLog
from gencode.queue.in_process import FairQueue
from tests.unit.engine.rig import FaultyStore, RecordingHub, Rig, Spelling, new_task, pausing


class SharedQueue(FairQueue):
    """As a queue over several processes: workers have names, and some of the others are alive."""

    def __init__(self) -> None:
        super().__init__(10)
        self.alive: set[str] = set()
        self.cancel_requests: list[str] = []
        self.undelivered: list[str] = []

    async def work(self, handler: Handler, concurrency: int) -> None:
        while True:
            task_id = await self.take()
            try:
                await handler(Delivery(task_id=task_id, owner="me"))
            except Undelivered:
                self.undelivered.append(task_id)

    async def is_alive(self, owner: str) -> bool:
        return owner in self.alive

    async def request_cancel(self, task_id: str) -> None:
        self.cancel_requests.append(task_id)


def a_rig(pipeline: Spelling | None = None, store: FaultyStore | None = None, **options: object) -> Rig:
    return Rig(pipeline, store, queue=SharedQueue(), **options)


async def owned(rig: Rig, owner: str, state: State = State.RUNNING) -> Task:
    """A task in the store that a worker of another process has."""
    task = new_task(state=state, owner=owner)
    await rig.store.inner.create(task, {"prompt": "a word"}, [])
    return task


def shared(rig: Rig) -> SharedQueue:
    assert isinstance(rig.queue, SharedQueue)
    return rig.queue


async def test_a_run_stores_its_owner_and_clears_it_at_its_end() -> None:
    owners = []

    async def look(emit: Emit) -> None:
        await emit(StageUpdate(kind="looked"))
        owners.append((await rig.task(task)).owner)

    rig = a_rig(Spelling(x=look))
    async with rig.running():
        task = await rig.submit()
        finished = await rig.finished(task)
    assert (owners, finished.owner) == (["me"], "")


async def test_a_pause_and_an_orderly_stop_clear_the_owner() -> None:
    rig = a_rig(Spelling(x=pausing()))
    async with rig.running():
        assert (await rig.paused(await rig.submit())).owner == ""

    async def wait(emit: Emit) -> None:
        started.set()
        await anyio.sleep_forever()

    started = anyio.Event()
    rig = a_rig(Spelling(x=wait))
    async with rig.running():
        task = await rig.submit()
        await started.wait()
    stopped = await rig.task(task)
    assert (stopped.state, stopped.owner) == (State.QUEUED, "")


async def test_a_task_of_a_worker_that_is_alive_is_delivered_again_later() -> None:
    rig = a_rig()
    shared(rig).alive.add("other")
    async with rig.running():
        task = await owned(rig, "other")
        rig.queue.put(task.id, "alice")
        await anyio.wait_all_tasks_blocked()
    assert shared(rig).undelivered == [task.id]
    assert rig.deliveries() == {"owned": 1}
    assert await rig.task(task) == task


async def test_a_task_of_a_worker_that_died_is_taken_over() -> None:
    rig = a_rig()
    async with rig.running():
        task = await owned(rig, "dead")
        rig.queue.put(task.id, "alice")
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await anyio.wait_all_tasks_blocked()
    assert rig.deliveries() == {"done": 1}


async def test_a_displaced_owner_is_refused_at_its_next_commit_and_leaves_the_task() -> None:
    """Before its next call to a model, too: the reserve of a call is committed before it is sent."""
    went_on = []

    async def be_displaced(emit: Emit) -> None:
        await TaskLog(await rig.task(task), rig.store.inner, RecordingHub()).start("successor")
        await emit(StageUpdate(kind="reserve", checkpoints={"call:1": "{}"}))
        went_on.append("paid")

    rig = a_rig(Spelling(x=be_displaced))
    async with rig.running():
        task = await rig.submit()
        await anyio.wait_all_tasks_blocked()
    assert (shared(rig).undelivered, went_on) == ([task.id], [])
    assert rig.deliveries() == {"fenced": 1}
    stored = await rig.task(task)
    assert (stored.state, stored.owner) == (State.RUNNING, "successor")
    assert "call:1" not in await rig.store.checkpoints(task.id)


async def test_two_workers_that_start_one_task_at_once() -> None:
    rig = a_rig()
    task = await owned(rig, "", State.QUEUED)
    first, second = (TaskLog(task, rig.store.inner, RecordingHub()) for _ in range(2))
    await first.start("first")
    with pytest.raises(Conflict):
        await second.start("second")
    assert (await rig.task(task)).owner == "first"


# --- cancelling -------------------------------------------------------------------------------------


async def test_the_worker_of_another_process_is_asked_to_cancel_until_it_has() -> None:
    rig = a_rig()
    shared(rig).alive.add("other")
    async with rig.running() as service:
        task = await owned(rig, "other")
        async with anyio.create_task_group() as group:
            results: list[Task] = []

            async def cancel() -> None:
                results.append(await service.cancel(task))

            group.start_soon(cancel)
            await rig.store_refused.wait()  # it sleeps between two looks
            assert (shared(rig).cancel_requests, results) == ([task.id], [])
            await TaskLog(task, rig.store.inner, RecordingHub()).cancel("as asked")
            rig.retry_store.set()
    assert results[0].state is State.CANCELLED
    assert results[0].message == "as asked"


async def test_a_worker_that_dies_while_it_is_asked_does_not_hold_up_the_cancellation() -> None:
    rig = a_rig()
    shared(rig).alive.add("other")
    async with rig.running() as service:
        task = await owned(rig, "other")
        async with anyio.create_task_group() as group:
            group.start_soon(service.cancel, task)
            await rig.store_refused.wait()
            shared(rig).alive.clear()
            rig.retry_store.set()
        assert (await rig.task(task)).state is State.CANCELLED


async def test_a_request_of_another_process_cancels_the_run_here() -> None:
    started = anyio.Event()

    async def wait(emit: Emit) -> None:
        started.set()
        await anyio.sleep_forever()

    rig = a_rig(Spelling(x=wait))
    async with rig.running() as service:
        task = await rig.submit()
        service.cancel_here("another task")
        await started.wait()
        service.cancel_here(task.id)
        assert (await rig.finished(task)).state is State.CANCELLED


# --- operations of two processes at once ------------------------------------------------------------


class RacingStore(FaultyStore):
    """Another process commits the task between the next read of it and the commit that follows."""

    race: Task | None = None

    async def commit(self, task: Task, *args: object, **kwargs: object) -> None:
        if self.race:
            race, self.race = self.race, None
            await self.inner.commit(race)
        await super().commit(task, *args, **kwargs)  # type: ignore[arg-type]


async def test_a_task_that_starts_elsewhere_while_it_is_cancelled_is_cancelled_there() -> None:
    store = RacingStore()
    rig = a_rig(store=store)
    shared(rig).alive.add("other")
    async with rig.running() as service:
        task = await owned(rig, "", State.QUEUED)
        store.race = replace(task, state=State.RUNNING, owner="other", version=task.version + 1)
        async with anyio.create_task_group() as group:
            group.start_soon(service.cancel, task)
            await rig.store_refused.wait()
            assert shared(rig).cancel_requests == [task.id]
            await TaskLog(await rig.task(task), store.inner, RecordingHub()).cancel("as asked")
            rig.retry_store.set()
        assert (await rig.task(task)).state is State.CANCELLED


async def test_a_task_that_ends_elsewhere_while_it_is_cancelled_has_ended() -> None:
    store = RacingStore()
    rig = a_rig(store=store)
    async with rig.running() as service:
        task = await owned(rig, "", State.QUEUED)
        store.race = replace(task, state=State.SUCCEEDED, version=task.version + 1)
        with pytest.raises(AlreadyFinished):
            await service.cancel(task)


async def test_a_task_that_is_approved_by_two_processes_at_once_is_approved_once() -> None:
    store = RacingStore()
    rig = a_rig(store=store)
    async with rig.running() as service:
        task = new_task(state=State.PAUSED, paused_until=now())
        await store.inner.create(task, {}, [])
        store.race = replace(task, state=State.QUEUED, paused_until=None, version=task.version + 1)
        approved = await service.approve(task, lambda checkpoints: StageUpdate(kind="mine"))
        assert approved.state is State.QUEUED
        assert await rig.store.events(task.id) == []


async def test_a_task_that_is_deleted_is_not_delivered_again() -> None:
    rig = a_rig()
    async with rig.running():
        rig.queue.put("of an old job", "alice")
        await anyio.wait_all_tasks_blocked()
    assert shared(rig).undelivered == []


async def test_a_second_delivery_waits_for_the_first_and_does_what_is_left() -> None:
    """An approval may be delivered while the run that paused is still being left."""
    first, go_on = anyio.Event(), anyio.Event()

    async def wait(emit: Emit) -> None:
        first.set()
        await go_on.wait()

    rig = a_rig(Spelling(x=wait))
    async with rig.running() as service:
        task = await rig.submit()
        await first.wait()
        delivered = []

        async def deliver() -> None:
            await service._pool.handle(Delivery(task_id=task.id, owner="me"))
            delivered.append((await rig.task(task)).state)

        async with anyio.create_task_group() as group:
            group.start_soon(deliver)
            await anyio.wait_all_tasks_blocked()
            assert delivered == []
            go_on.set()
    assert delivered == [State.SUCCEEDED]


async def test_a_task_that_runs_again_is_not_expired() -> None:
    """The look for expired tasks saw it paused; another process has approved it, and it runs here."""
    first, go_on = anyio.Event(), anyio.Event()

    async def wait(emit: Emit) -> None:
        first.set()
        await go_on.wait()

    rig = a_rig(Spelling(x=wait))
    async with rig.running() as service:
        task = await rig.submit()
        await first.wait()
        await service._pool.expire(task.id, now())
        assert service.running == 1
        go_on.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED
