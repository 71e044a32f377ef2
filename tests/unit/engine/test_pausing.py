"""A paused task uses no worker, and continues or ends when it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import pytest

from gencode.domain.errors import AlreadyFinished, NotPaused, QueueFull, ShuttingDown, StoreError
from gencode.domain.task import State, Task, now
from gencode.engine.paused_tasks import PausedTasksInMemory, PausedTasksInStore
from gencode.engine.ports.pipeline import StageUpdate
from tests.servers.loop_clock import LoopClock
from tests.unit.engine.rig import (
    SEVEN,
    FaultyStore,
    Latch,
    NoAccess,
    Rig,
    Spelling,
    failing,
    leaving,
    new_task,
    pausing,
)


def approve(checkpoints: Mapping[str, str]) -> StageUpdate:
    return StageUpdate(data={"revision": 1}, checkpoints={"approved": "{}"})


async def paused(rig: Rig) -> Task:
    return await rig.paused(await rig.submit())


async def test_it_uses_no_worker_and_continues_with_the_stage_that_paused() -> None:
    rig = Rig(Spelling(x=pausing()), concurrency=1)
    async with rig.running() as service:
        task = await paused(rig)
        assert (task.state, task.status, task.message, task.attempts) == (State.PAUSED, "check", "may I?", 0)
        assert (service.paused, service.running, service.waiting) == (1, 0, 0)
        assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED
        approved = await service.approve(task, approve)
        assert (approved.state, approved.paused_until) == (State.QUEUED, None)
        assert (approved.status, approved.message) == ("check", "now check")
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert (service.paused, rig.pipeline.finished["w"]) == (0, 2)
        assert "approved" in await rig.store.checkpoints(task.id)
        log = [(event.kind, event.data) for event in await rig.log(task)]
    kinds = [kind for kind, _ in log]
    assert kinds[kinds.index("approval") :][:3] == ["approval", "approved", "resumed"]
    data = dict(log)
    assert data["approval"].keys() == {"status", "message", "at", "awaiting_approval", "approve_by"}
    assert (data["approval"]["awaiting_approval"], data["approved"]["awaiting_approval"]) == (True, False)
    assert (data["approved"]["approve_by"], data["approved"]["revision"]) == (None, 1)


async def test_several_stages_may_pause() -> None:
    rig = Rig(Spelling(SEVEN, b=pausing(), c=pausing(), g=pausing(times=2)))
    async with rig.running() as service:
        task = await rig.submit()
        stages = []
        for _ in range(4):
            stages.append((await rig.paused(task)).stage)
            await service.approve(await rig.task(task), approve)
        assert stages == ["two", "three", "seven", "seven"]
        assert (await rig.finished(task)).result["word"] == "abcdefg"


async def test_clicks_at_once_start_one_run() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(service.approve, task, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert [event.kind for event in await rig.log(task)].count("approved") == 1
        assert rig.pipeline.started["x"] == 2


async def test_a_refused_decision_changes_nothing() -> None:
    def refuse(checkpoints: Mapping[str, str]) -> StageUpdate:
        raise NoAccess("read it again")

    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        for ask in (service.approve, service.amend):
            with pytest.raises(NoAccess):
                await ask(task, refuse)
        assert await rig.task(task) == task
        assert service.paused == 1


async def test_a_change_is_stored_and_published_and_the_task_stays_paused() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        change = StageUpdate(kind="plan", data={"n": 2}, checkpoints={"plan": "new"})
        amended = await service.amend(task, lambda checkpoints: change)
        assert (amended.state, amended.paused_until) == (State.PAUSED, task.paused_until)
        assert amended.sequence == task.sequence + 1
        assert (await rig.log(task))[-1].data == {"n": 2}
        assert (await rig.store.checkpoints(task.id))["plan"] == "new"
        assert (await service.cancel(task)).state is State.CANCELLED  # `task`: as the client saw it before


async def test_only_paused_tasks_are_approved_or_changed() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch))
    async with rig.running() as service:
        task = await rig.submit()
        await latch.entered.wait()
        for ask in (service.approve, service.amend):
            with pytest.raises(NotPaused):
                await ask(await rig.task(task), approve)
        latch.released.set()
        done = await rig.finished(task)
        for ask in (service.approve, service.amend):
            with pytest.raises(AlreadyFinished):
                await ask(done, approve)


async def test_it_can_be_cancelled() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        assert (await service.cancel(task)).state is State.CANCELLED
        assert (await service.cancel(task)).paused_until is None
        assert service.paused == 0
        with pytest.raises(AlreadyFinished):
            await service.approve(task, approve)
        assert (await rig.statuses(task))[-1] == "cancelled"
        assert rig.counted("cancelled") == 1


async def test_a_full_queue_refuses_and_the_task_stays_paused() -> None:
    latch = Latch()
    rig = Rig(Spelling(x=pausing()), concurrency=1, waiting=1)
    async with rig.running() as service:
        task = await paused(rig)
        rig.pipeline.acts["w"] = latch
        await rig.submit()
        await latch.entered.wait()
        await rig.submit()
        with pytest.raises(QueueFull):
            await service.approve(task, approve)
        assert await rig.task(task) == task
        latch.released.set()
        await rig.idle()
        await service.approve(task, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED


async def test_a_service_that_stops_refuses() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await service.approve(task, approve)


async def test_without_a_decision_in_time_it_fails_and_a_retry_asks_again() -> None:
    rig = Rig(Spelling(x=pausing(times=2, seconds=0)))
    async with rig.running() as service:
        task = await rig.finished(await rig.submit())
        assert task.failure
        assert (task.failure.code, task.failure.retryable) == ("APPROVAL_EXPIRED", True)
        assert (task.failure.stage, task.paused_until) == ("check", None)
        rig.pipeline.acts["x"] = pausing()
        await service.retry(task)
        again = await rig.paused(task)
        await service.approve(again, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert (await rig.statuses(task)).count("failed") == 1


async def test_a_pause_uses_up_nothing_of_the_time_that_a_run_may_take() -> None:
    rig, clock = Rig(Spelling(x=pausing()), timeout=3600), LoopClock()
    async with rig.running() as service:
        task = await paused(rig)
        await clock.advance(3600)
        assert (await rig.task(task)).paused_until
        await service.approve(task, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED


async def test_the_next_process_keeps_it_paused_and_publishes_nothing() -> None:
    store = FaultyStore()
    first = Rig(Spelling(x=pausing()), store, max_attempts=2)
    async with first.running():
        task = await paused(first)
    for _ in range(4):
        rig = Rig(Spelling(), store, max_attempts=2)
        async with rig.running() as service:
            await anyio.wait_all_tasks_blocked()
            assert (await rig.task(task), service.paused, service.running) == (task, 1, 0)
            assert not rig.hub.published
    last = Rig(Spelling(), store, max_attempts=2)
    async with last.running() as service:
        await service.approve(task, approve)
        assert (await last.finished(task)).state is State.SUCCEEDED


async def test_a_pause_that_ended_between_two_processes_has_ended() -> None:
    store = FaultyStore()
    first = Rig(Spelling(x=pausing()), store)
    async with first.running():
        task = await paused(first)
    moment = now() - timedelta(seconds=1)
    await store.inner.commit(replace(task, paused_until=moment, version=task.version + 1))
    rig = Rig(store=store)
    async with rig.running():
        ended = await rig.finished(task)
    assert ended.failure
    assert ended.failure.code == "APPROVAL_EXPIRED"


# --- the limit of paused tasks ----------------------------------------------------------------------


async def test_a_principal_with_too_many_paused_tasks_may_submit_none_that_can_pause() -> None:
    """Approvals evaded the limit of waiting tasks (review, point 13)."""
    rig = Rig(Spelling(x=pausing(times=9)), paused=PausedTasksInMemory(limit=2))
    async with rig.running() as service:
        first, _ = await paused(rig), await paused(rig)
        writes = rig.store.writes
        with pytest.raises(QueueFull, match="2 of your tasks wait for approval"):
            await service.submit(new_task(), {}, may_pause=True)
        assert rig.store.writes == writes
        rig.pipeline.acts.clear()
        await rig.finished(await service.submit(new_task(), {}))
        await rig.finished(await service.submit(new_task(principal="bob"), {}, may_pause=True))
        await service.approve(first, approve)
        await rig.finished(first)
        await rig.finished(await service.submit(new_task(), {}, may_pause=True))


async def test_paused_tasks_are_counted_by_principal() -> None:
    tasks = PausedTasksInMemory(limit=2)
    for _ in range(3):
        tasks.put("one", "alice", now())  # again and again
        await tasks.check_limit("alice")
    tasks.put("two", "alice", now())
    with pytest.raises(QueueFull):
        await tasks.check_limit("alice")
    await tasks.check_limit("bob")
    assert [tasks.remove("one"), tasks.remove("one")] == [True, False]
    await tasks.check_limit("alice")
    tasks.remove("two")
    assert not tasks._by_principal


# --- a store that refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
async def test_a_pause_that_could_not_be_stored_is_stored_later(outcome: str) -> None:
    rig = Rig(Spelling(w=pausing(times=2)))
    rig.store.outcome = outcome  # type: ignore[assignment]
    rig.store.refuse(4)  # creation, start, the stage, the pause
    async with rig.running() as service:
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.retry_store.set()
        await rig.paused(task)
        assert [event.kind for event in await rig.log(task)].count("approval") == 1
        rig.pipeline.acts.clear()
        await service.approve(await rig.task(task), approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


@pytest.mark.parametrize("outcome", ["refused", "lost"])
async def test_an_approval_that_could_not_be_stored_can_be_given_again(outcome: str) -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.refusals, rig.store.outcome = 1, outcome  # type: ignore[assignment]
        with pytest.raises(StoreError):
            await service.approve(task, approve)
        assert (await rig.task(task), service.paused) == (task, 1)
        await service.approve(task, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


async def test_an_approval_that_was_stored_without_confirmation_is_an_approval() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.refusals, rig.store.outcome = 1, "stored"
        assert (await service.approve(task, approve)).state is State.QUEUED
        assert service.paused == 0
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


async def test_an_approval_of_unknown_outcome_is_queued_when_the_store_is_back() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service, anyio.create_task_group() as group:
        task = await paused(rig)
        await rig.idle()
        rig.store.store_and_go_down()
        group.start_soon(service.approve, task, approve)
        await rig.store_refused.wait()
        rig.store.recover()
        rig.retry_store.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


async def test_a_service_that_stops_does_not_wait_for_a_silent_store() -> None:
    rig = Rig(Spelling(x=pausing()))
    answers: list[Exception] = []
    async with rig.running() as service, anyio.create_task_group() as group:
        task = await paused(rig)
        rig.store.store_and_go_down()

        async def click() -> None:
            try:
                await service.approve(task, approve)
            except ShuttingDown as error:
                answers.append(error)

        group.start_soon(click)
        await rig.store_refused.wait()
        service.stop_accepting()
        rig.retry_store.set()
    assert answers
    rig.store.recover()
    last = Rig(Spelling(), rig.store)
    async with last.running():
        assert (await last.finished(task)).state is State.SUCCEEDED


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
async def test_an_expiry_that_could_not_be_stored_is_stored_later(outcome: str) -> None:
    rig = Rig(Spelling(w=pausing(seconds=0)))
    rig.store.outcome = outcome  # type: ignore[assignment]
    rig.store.refuse(5)  # creation, start, the stage, the pause, its end
    async with rig.running() as service:
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.retry_store.set()
        assert (await rig.finished(task)).state is State.FAILED
        await rig.idle()
        assert service.paused == 0
        assert (await rig.statuses(task)).count("failed") == 1
        assert rig.counted("failed", "APPROVAL_EXPIRED") == 1


async def test_a_cancellation_that_could_not_be_stored_leaves_it_paused() -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.refusals = 1
        with pytest.raises(StoreError):
            await service.cancel(task)
        assert service.paused == 1
        assert (await service.cancel(task)).state is State.CANCELLED
        await rig.log(task)


async def test_a_failure_after_the_approval_asks_for_no_other_decision() -> None:
    rig = Rig(Spelling(x=pausing(), y=failing(StoreError("no"))))
    async with rig.running() as service:
        task = await paused(rig)
        rig.retry_store.set()
        await service.approve(task, approve)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert [event.kind for event in await rig.log(task)].count("approval") == 1


# --- a caller that leaves ---------------------------------------------------------------------------


@pytest.mark.parametrize("natively", [False, True])
async def test_an_approval_whose_caller_is_cancelled_goes_on_to_its_end(natively: bool) -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
        async with leaving(service.approve(task, approve), natively):
            await rig.store.asked.wait()
        rig.store.gate.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.idle()
        assert service.paused == 0
        await rig.log(task)


@pytest.mark.parametrize("natively", [False, True])
async def test_a_caller_that_leaves_while_the_outcome_is_unknown_loses_no_task(natively: bool) -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.store_and_go_down()
        async with leaving(service.approve(task, approve), natively):
            await rig.store_refused.wait()
        rig.store.recover()
        rig.retry_store.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED


@pytest.mark.parametrize("natively", [False, True])
async def test_a_cancellation_whose_caller_is_cancelled_goes_on_to_its_end(natively: bool) -> None:
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
        async with leaving(service.cancel(task), natively):
            await rig.store.asked.wait()
        rig.store.gate.set()
        assert (await rig.finished(task)).state is State.CANCELLED
        assert rig.hub.final == [task.id]
        assert service.paused == 0


async def test_a_cancellation_of_unknown_outcome_is_published_when_the_store_is_back() -> None:
    """Else its subscribers would wait until the pause ends."""
    rig = Rig(Spelling(x=pausing()))
    async with rig.running() as service:
        task = await paused(rig)
        rig.store.store_and_go_down()
        async with leaving(service.cancel(task)):
            await rig.store_refused.wait()
        rig.store.recover()
        rig.retry_store.set()
        while not rig.hub.final:
            await anyio.sleep(0)
        assert (await rig.task(task)).state is State.CANCELLED
        assert service.paused == 0
        await rig.log(task)


# --- the clock --------------------------------------------------------------------------------------


async def test_the_soonest_is_the_first_to_expire_whatever_the_order() -> None:
    moment = now()
    tasks = PausedTasksInMemory(clock=lambda: moment)
    tasks.put("late", "a", moment - timedelta(seconds=1))
    tasks.put("early", "a", moment - timedelta(seconds=2))
    tasks.put("gone", "a", moment - timedelta(seconds=3))
    tasks.remove("gone")
    assert (await tasks.expired()).task_id == "early"
    tasks.remove("early")
    assert (await tasks.expired()).task_id == "late"
    assert ("late" in tasks, len(tasks)) == (True, 1)


async def test_one_that_is_added_later_but_ends_sooner_expires_first() -> None:
    moment = now()
    tasks = PausedTasksInMemory(clock=lambda: moment)
    tasks.put("far", "a", moment + timedelta(days=1))
    async with anyio.create_task_group() as group:

        async def wait() -> None:
            assert (await tasks.expired()).task_id == "near"

        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        tasks.put("near", "a", moment)


class Clock:
    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment


async def test_a_task_that_pauses_anew_while_its_expiry_waits_is_not_expired() -> None:
    """The expiry waits for the task's lock, which an approval, then an amendment hold."""
    clock = Clock()
    rig = Rig(Spelling(x=pausing(times=2)), paused=PausedTasksInMemory(clock=clock))
    async with rig.running() as service:
        task = await paused(rig)
        async with service._locks(task.id):
            clock.moment += timedelta(hours=2)
            rig.paused_tasks.put("wakes the expiry", "bob", clock.moment + timedelta(days=1))
            await anyio.wait_all_tasks_blocked()
            rig.paused_tasks.put(task.id, "alice", clock.moment + timedelta(hours=1))
        await anyio.wait_all_tasks_blocked()
        assert (await rig.task(task)).state is State.PAUSED
        assert task.id in rig.paused_tasks


async def test_a_stale_entry_among_the_paused_tasks_is_dropped_without_an_expiry() -> None:
    """An entry for a task that is not paused in the store any more."""
    rig = Rig(Spelling(x=pausing(seconds=0)))
    async with rig.running() as service:
        task = await rig.finished(await rig.submit())
        done = await rig.log(task)
        for _ in range(2):
            rig.paused_tasks.put(task.id, "alice", now())
            while service.paused or service.running:
                await anyio.sleep(0)
        assert await rig.log(task) == done
        assert rig.counted("failed", "APPROVAL_EXPIRED") == 1


# --- paused tasks of all processes, in the store ----------------------------------------------------


class Looks:
    """Ends the wait for the next look when the test says so."""

    def __init__(self) -> None:
        self.waiting = anyio.Event()
        self.go_on = anyio.Event()

    async def __call__(self, seconds: float) -> None:
        self.waiting.set()
        await self.go_on.wait()
        self.go_on = anyio.Event()


async def test_tasks_that_are_paused_in_the_store_expire_and_are_limited() -> None:
    store, looks = FaultyStore(), Looks()
    tasks = PausedTasksInStore(store, limit=1, sleep=looks)
    rig = Rig(Spelling(x=pausing(times=2)), store, paused=tasks)
    async with rig.running() as service:
        await looks.waiting.wait()
        task = await service.submit(new_task(), {"prompt": "x"}, may_pause=True)
        await rig.paused(task)
        with pytest.raises(QueueFull):
            await service.submit(new_task(principal=task.principal.id), {"prompt": "x"}, may_pause=True)
        stored = await rig.task(task)
        past = replace(stored, paused_until=now() - timedelta(seconds=1), version=stored.version + 1)
        await store.inner.commit(past)
        looks.go_on.set()
        failure = (await rig.finished(task)).failure
        assert failure
        assert failure.code == "APPROVAL_EXPIRED"


async def test_a_paused_task_that_cannot_be_failed_waits_for_the_next_look() -> None:
    store, looks = FaultyStore(), Looks()
    tasks = PausedTasksInStore(store, limit=1, sleep=looks)
    await store.inner.create(new_task(state=State.PAUSED, paused_until=now()), {}, [])
    first, later = await tasks.expired(), []

    async def look_again() -> None:
        later.append(await tasks.expired())

    async with anyio.create_task_group() as group:
        group.start_soon(look_again)
        await looks.waiting.wait()
        assert len(tasks) == 1
        looks.go_on.set()
    assert later == [first]


async def test_tasks_that_cannot_be_failed_keep_no_other_from_its_end() -> None:
    store = FaultyStore()
    tasks = PausedTasksInStore(store, limit=1)
    paused = [new_task(state=State.PAUSED, paused_until=now()) for _ in range(150)]
    for task in paused:
        await store.inner.create(task, {}, [])
    found = [(await tasks.expired()).task_id for _ in paused]
    assert sorted(found) == sorted(task.id for task in paused)


async def test_a_store_that_cannot_be_read_is_looked_at_again() -> None:
    store, looks = FaultyStore(), Looks()
    tasks = PausedTasksInStore(store, limit=1, sleep=looks)
    store.down = True
    async with anyio.create_task_group() as group:
        group.start_soon(tasks.expired)
        await looks.waiting.wait()
        store.down = False
        await store.inner.create(new_task(state=State.PAUSED, paused_until=now()), {}, [])
        looks.go_on.set()
