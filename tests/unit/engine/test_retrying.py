"""A failed task continues in the stage where it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
import pytest

from gencode.domain.errors import (
    AlreadyFinished,
    QueueFull,
    ShuttingDown,
    StillWorking,
    StoreError,
)
from gencode.domain.event import Event
from gencode.domain.task import State, Task
from gencode.engine.paused_tasks import PausedTasksInMemory
from tests.unit.engine.rig import (
    FOUR,
    SEVEN,
    STAGES,
    TWO,
    FaultyStore,
    Latch,
    NoAccess,
    Rig,
    Spelling,
    failing,
    leaving,
    pausing,
)

EMPTY = NoAccess("the account is empty")


async def failed(rig: Rig) -> Task:
    task = await rig.finished(await rig.submit())
    assert task.state is State.FAILED
    return task


@pytest.mark.parametrize(
    ("stages", "stage"), [(stages, stage) for stages in (TWO, FOUR, SEVEN) for stage in stages]
)
async def test_it_continues_with_the_stage_that_failed_and_repeats_none(
    stages: dict[str, str], stage: str
) -> None:
    letter, names, word = stages[stage], list(stages), "".join(stages.values())
    rig = Rig(Spelling(stages, **{letter: failing(EMPTY)}))
    async with rig.running() as service:
        task = await failed(rig)
        assert task.failure
        assert task.failure.stage == stage
        retried = await service.retry(task)
        assert (retried.state, retried.status, retried.failure) == (State.QUEUED, stage, None)
        assert (retried.attempts, retried.retries) == (0, {"NO_ACCESS": 1})
        done = await rig.finished(task)
        assert (done.state, done.failure, done.result["word"]) == (State.SUCCEEDED, None, word)
        assert rig.pipeline.finished == dict.fromkeys(word, 1)
        assert rig.pipeline.started[letter] == 2
        reached = names.index(stage)
        expected = ["pending", *names[: reached + 1], "failed", *names[reached:], "completed"]
        assert await rig.statuses(task) == expected


async def test_a_task_that_failed_before_its_first_stage_starts_over() -> None:
    rig = Rig(max_attempts=1)
    async with rig.running() as service:
        task = await rig.finished(await rig.submit(attempts=1))
        assert task.failure
        assert (task.failure.code, task.failure.stage) == ("CRASH_LOOP", "")
        retried = await service.retry(task)
        assert (retried.state, retried.stage, retried.status) == (State.QUEUED, "", "pending")
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert await rig.statuses(task) == ["pending", "failed", "pending", *STAGES, "completed"]


async def test_changes_apply_to_the_parameters_of_the_next_run() -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await rig.finished(await rig.submit(parameters={"model": "first", "size": 1}))
        retried = await service.retry(task, {"model": "second"})
        assert retried.parameters == {"model": "second", "size": 1}
        await rig.finished(task)
        assert [request["model"] for request in rig.pipeline.requests] == ["first", "second"]
        assert await rig.store.request(task.id) == {"prompt": "a word"}


async def test_it_may_fail_again_and_be_retried_again() -> None:
    rig = Rig(Spelling(x=failing(EMPTY, EMPTY)))
    async with rig.running() as service:
        first = await failed(rig)
        await service.retry(first)
        second = await rig.finished(first)
        assert (second.state, second.sequence > first.sequence) == (State.FAILED, True)
        await service.retry(second)
        done = await rig.finished(second)
        assert (done.state, done.retries) == (State.SUCCEEDED, {"NO_ACCESS": 2})
        await rig.log(second)


class SlowToReturn(FaultyStore):
    """The commit of a failure is stored and visible, but returns only when `release` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = anyio.Event()
        self.release = anyio.Event()

    async def commit(
        self, task: Task, events: Sequence[Event] = (), checkpoints: Mapping[str, str] | None = None
    ) -> None:
        await super().commit(task, events, checkpoints)
        if task.state is State.FAILED:
            self.failed.set()
            await self.release.wait()


async def test_a_retry_waits_until_the_old_run_has_finished() -> None:
    """Else two would write one log."""
    store = SlowToReturn()
    rig = Rig(Spelling(x=failing(EMPTY)), store)
    answers, answered = [], anyio.Event()
    async with rig.running() as service, anyio.create_task_group() as group:
        task = await rig.submit()
        await store.failed.wait()
        seen = await rig.task(task)
        assert seen.state is State.FAILED

        async def click() -> None:
            answers.append(await service.retry(seen))
            answered.set()

        group.start_soon(click)
        await anyio.wait_all_tasks_blocked()
        assert (answers, await rig.task(task)) == ([], seen)
        store.release.set()
        await answered.wait()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.idle()
    assert [answer.status for answer in answers] == ["check"]
    await rig.log(task)


async def test_clicks_at_once_start_one_run() -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    answers = []
    async with rig.running() as service:
        task = await failed(rig)

        async def click() -> None:
            answers.append(await service.retry(task))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(click)
        assert {answer.id for answer in answers} == {task.id}
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.idle()
        late = await service.retry(task)  # a click that was on its way for long
        assert late.state is State.SUCCEEDED
        assert rig.pipeline.started == {"w": 1, "x": 2, "y": 1, "z": 1}
        assert (await rig.statuses(task)).count("check") == 2
        assert (rig.counted("failed", "NO_ACCESS"), rig.counted("completed")) == (1, 1)


async def test_only_what_failed_is_retried() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch))
    async with rig.running() as service:
        working, cancelled = await rig.submit(), await rig.submit()
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(StillWorking, match="draft"):
            await service.retry(await rig.task(working))
        with pytest.raises(AlreadyFinished, match="cancelled"):
            await service.retry(await service.cancel(cancelled))
        latch.released.set()
        with pytest.raises(AlreadyFinished, match="completed"):
            await service.retry(await rig.finished(working))


async def test_a_full_queue_refuses_and_the_task_stays_failed() -> None:
    latch = Latch()
    rig = Rig(Spelling(x=failing(EMPTY)), concurrency=1, waiting=1)
    async with rig.running() as service:
        task = await failed(rig)
        rig.pipeline.acts["w"] = latch
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        await rig.submit()
        with pytest.raises(QueueFull):
            await service.retry(task)
        assert (await rig.task(task)) == task
        latch.released.set()


async def test_a_task_that_would_pause_again_counts_against_the_limit_of_paused_tasks() -> None:
    """Else expired approvals could be retried without limit (review, point 13)."""
    rig = Rig(Spelling(x=pausing(times=9)), paused=PausedTasksInMemory(limit=1))
    async with rig.running() as service:
        rig.pipeline.acts["w"] = failing(EMPTY)
        task = await failed(rig)
        paused = await rig.paused(await rig.submit())
        with pytest.raises(QueueFull, match="approval"):
            await service.retry(task, may_pause=True)
        assert await rig.task(task) == task
        await service.cancel(paused)
        await service.retry(task, may_pause=True)
        await rig.paused(task)


async def test_a_task_whose_pause_expired_counts_against_that_limit_whatever_the_caller_knows() -> None:
    rig = Rig(Spelling(x=pausing(seconds=0)), paused=PausedTasksInMemory(limit=1))
    async with rig.running() as service:
        expired = await failed(rig)
        rig.pipeline.acts = {"x": pausing(times=9)}
        await rig.paused(await rig.submit())
        with pytest.raises(QueueFull, match="approval"):
            await service.retry(expired)
        assert await rig.task(expired) == expired


async def test_a_service_that_stops_refuses() -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await failed(rig)
        service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await service.retry(task)


# --- a store that refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["refused", "lost"])
async def test_a_store_that_refuses_leaves_the_task_failed_and_a_later_click_works(outcome: str) -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await failed(rig)
        await rig.idle()
        rig.store.refusals, rig.store.outcome = 1, outcome  # type: ignore[assignment]
        with pytest.raises(StoreError):
            await service.retry(task)
        assert await rig.task(task) == task
        await service.retry(task)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


async def test_a_retry_that_was_stored_without_confirmation_is_a_retry() -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await failed(rig)
        await rig.idle()
        rig.store.refusals, rig.store.outcome = 1, "stored"
        retried = await service.retry(task)
        assert (retried.state, retried.status, retried.attempts) == (State.QUEUED, "check", 0)
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.log(task)


async def test_a_retry_of_unknown_outcome_is_queued_when_the_store_is_back() -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service, anyio.create_task_group() as group:
        task = await failed(rig)
        await rig.idle()
        rig.store.store_and_go_down()
        group.start_soon(service.retry, task)
        await rig.store_refused.wait()
        rig.store.recover()
        rig.retry_store.set()
        assert (await rig.finished(task, after=task.sequence)).state is State.SUCCEEDED
        await rig.log(task)


async def test_a_retry_that_waits_for_the_store_delays_no_other_task() -> None:
    """One lock for all made another's cancel wait for more than 12 s (review, point 9)."""
    latch = Latch()
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service, anyio.create_task_group() as group:
        task = await failed(rig)
        rig.pipeline.acts["w"] = latch
        others = [await rig.submit() for _ in range(3)]
        await latch.entered.wait()
        await anyio.wait_all_tasks_blocked()
        rig.store.store_and_go_down()
        group.start_soon(service.retry, task)
        await rig.store_refused.wait()
        rig.store.recover()  # the retry sleeps until `retry_store`, and holds its lock
        for other in others:
            assert (await service.cancel(other)).state is State.CANCELLED
        assert task.id in service._locks
        rig.retry_store.set()


# --- a caller that leaves ---------------------------------------------------------------------------


@pytest.mark.parametrize("natively", [False, True])
async def test_a_retry_whose_caller_is_cancelled_goes_on_to_its_end(natively: bool) -> None:
    """anyio's shield does not hold against `Task.cancel` (review, point 3)."""
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await failed(rig)
        await rig.idle()
        rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
        async with leaving(service.retry(task), natively):
            await rig.store.asked.wait()
        rig.store.gate.set()
        assert (await rig.finished(task, after=task.sequence)).state is State.SUCCEEDED
        await rig.log(task)


@pytest.mark.parametrize("natively", [False, True])
async def test_a_caller_that_leaves_while_the_outcome_is_unknown_loses_no_task(natively: bool) -> None:
    rig = Rig(Spelling(x=failing(EMPTY)))
    async with rig.running() as service:
        task = await failed(rig)
        await rig.idle()
        rig.store.store_and_go_down()
        async with leaving(service.retry(task), natively):
            await rig.store_refused.wait()
        rig.store.recover()
        rig.retry_store.set()
        assert (await rig.finished(task, after=task.sequence)).state is State.SUCCEEDED
        await rig.log(task)


# --- after the retry --------------------------------------------------------------------------------


async def test_a_retried_task_that_waits_can_be_cancelled() -> None:
    latch = Latch()
    rig = Rig(Spelling(x=failing(EMPTY)), concurrency=1)
    async with rig.running() as service:
        task = await failed(rig)
        rig.pipeline.acts["w"] = latch
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        retried = await service.retry(task)
        assert (await service.cancel(retried)).state is State.CANCELLED
        latch.released.set()
        await rig.idle()
        assert rig.pipeline.started["x"] == 1 + 1  # the other task's
        assert (await rig.statuses(task))[-2:] == ["check", "cancelled"]


async def test_a_process_that_stops_during_the_second_run_leaves_it_to_the_next() -> None:
    store, latch = FaultyStore(), Latch()
    rig = Rig(Spelling(x=failing(EMPTY)), store)
    async with rig.running() as service:
        task = await failed(rig)
        rig.pipeline.acts["x"] = latch
        await service.retry(task)
        await latch.entered.wait()
    second = Rig(store=store)
    async with second.running():
        assert (await second.finished(task)).state is State.SUCCEEDED
    assert second.pipeline.started == dict.fromkeys("xyz", 1)
