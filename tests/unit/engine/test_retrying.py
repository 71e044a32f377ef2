"""A failed task goes on from where it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
import pytest

from gencode.domain.errors import AlreadyFinished, QueueFull, ShuttingDown, StillWorking, StoreError
from gencode.domain.event import Event
from gencode.domain.task import Status, Task
from gencode.llm.errors import LLMBalance
from tests.unit.engine.rig import STATUSES, FaultyStore, Latch, Letters, Rig, failing, new_task

EMPTY = LLMBalance("the account is empty")


async def failed(rig: Rig) -> Task:
    task = await rig.over(await rig.submit())
    assert task.status is Status.FAILED
    return task


@pytest.mark.parametrize(("letter", "stage"), [*zip("wxyz", STATUSES, strict=True)])
async def test_it_goes_on_with_the_stage_that_failed_and_repeats_none(letter: str, stage: Status) -> None:
    rig = Rig(Letters(**{letter: failing(EMPTY)}))
    async with rig.at_work() as task_service:
        task = await failed(rig)
        assert task.failure
        assert task.failure.stage is stage
        again = await task_service.retry(task)
        assert (again.status, again.failure, again.attempts) == (stage, None, 0)
        done = await rig.over(task)
        assert (done.status, done.failure, done.result["word"]) == (Status.COMPLETED, None, "wxyz")
        assert rig.pipeline.done == dict.fromkeys("wxyz", 1)
        assert rig.pipeline.begun[letter] == 2
        steps = await rig.statuses(task)
        reached = STATUSES.index(stage)
        assert steps == ["pending", *STATUSES[: reached + 1], "failed", *STATUSES[reached:], "completed"]


async def test_a_task_that_failed_before_its_first_stage_starts_over() -> None:
    rig = Rig(max_attempts=1)
    task = new_task(attempts=1)
    async with rig.at_work() as task_service:
        task = await rig.over(await task_service.submit(task))
        assert task.failure
        assert (task.failure.code, task.failure.stage) == ("CRASH_LOOP", Status.PENDING)
        assert (await task_service.retry(task)).status is Status.PENDING
        assert (await rig.over(task)).status is Status.COMPLETED


async def test_it_may_fail_again_and_be_retried_again() -> None:
    rig = Rig(Letters(x=failing(EMPTY, EMPTY)))
    async with rig.at_work() as task_service:
        first = await failed(rig)
        await task_service.retry(first)
        second = await rig.over(first)
        assert (second.status, second.sequence > first.sequence) == (Status.FAILED, True)
        await task_service.retry(second)
        assert (await rig.over(second)).status is Status.COMPLETED
        await rig.log(second)


class SlowToReturn(FaultyStore):
    """The commit of a failure is there, and visible; but whoever made it hears of it only when told."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = anyio.Event()
        self.go_on = anyio.Event()

    async def commit(
        self, task: Task, events: Sequence[Event] = (), keep: Mapping[str, str] | None = None
    ) -> None:
        await super().commit(task, events, keep)
        if task.status is Status.FAILED:
            self.failed.set()
            await self.go_on.wait()


async def test_a_retry_waits_until_the_old_run_has_left() -> None:
    """Else two would write one log."""
    store = SlowToReturn()
    rig = Rig(Letters(x=failing(EMPTY)), store)
    answers, answered = [], anyio.Event()
    async with rig.at_work() as task_service, anyio.create_task_group() as tg:
        task = await rig.submit()
        await store.failed.wait()
        seen = await rig.task(task)
        assert seen.status is Status.FAILED

        async def click() -> None:
            answers.append(await task_service.retry(seen))
            answered.set()

        tg.start_soon(click)
        await anyio.wait_all_tasks_blocked()
        assert (answers, await rig.task(task)) == ([], seen)
        store.go_on.set()
        await answered.wait()
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.idle()
    assert [answer.status for answer in answers] == [Status.MERGING]
    await rig.log(task)


async def test_two_clicks_at_once_start_one_run() -> None:
    rig = Rig(Letters(x=failing(EMPTY)))
    answers = []
    async with rig.at_work() as task_service:
        task = await failed(rig)

        async def click() -> None:
            answers.append(await task_service.retry(task))

        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(click)
        assert {answer.id for answer in answers} == {task.id}
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.idle()
        late = await task_service.retry(task)  # a click that was on its way for long
        assert late.status is Status.COMPLETED
        assert rig.pipeline.begun == {"w": 1, "x": 2, "y": 1, "z": 1}
        assert (await rig.statuses(task)).count(Status.MERGING) == 2


async def test_only_what_failed_is_retried() -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold))
    async with rig.at_work() as task_service:
        working, cancelled = await rig.submit(), await rig.submit()
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(StillWorking, match="generating"):
            await task_service.retry(await rig.task(working))
        with pytest.raises(AlreadyFinished, match="cancelled"):
            await task_service.retry(await task_service.cancel(cancelled))
        hold.let_go.set()
        with pytest.raises(AlreadyFinished, match="completed"):
            await task_service.retry(await rig.over(working))


async def test_a_full_line_refuses_and_the_task_stays_failed() -> None:
    hold = Latch()
    rig = Rig(Letters(x=failing(EMPTY)), concurrency=1, waiting=1)
    async with rig.at_work() as task_service:
        task = await failed(rig)
        rig.pipeline.acts["w"] = hold
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        await rig.submit()
        with pytest.raises(QueueFull):
            await task_service.retry(task)
        assert (await rig.task(task)) == task
        hold.let_go.set()


async def test_a_service_that_stops_refuses() -> None:
    rig = Rig(Letters(x=failing(EMPTY)))
    async with rig.at_work() as task_service:
        task = await failed(rig)
        task_service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await task_service.retry(task)


async def test_a_store_that_refuses_leaves_the_task_failed_and_a_later_click_works() -> None:
    rig = Rig(Letters(x=failing(EMPTY)))
    async with rig.at_work() as task_service:
        task = await failed(rig)
        await rig.idle()
        rig.store.refusals = 1
        with pytest.raises(StoreError):
            await task_service.retry(task)
        assert await rig.task(task) == task
        await task_service.retry(task)
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_a_store_that_did_it_and_said_no_is_found_out() -> None:
    rig = Rig(Letters(x=failing(EMPTY)))
    async with rig.at_work() as task_service:
        task = await failed(rig)
        await rig.idle()
        rig.store.refusals, rig.store.lying = 1, True
        assert (await task_service.retry(task)).status is Status.MERGING
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_a_retry_of_which_the_store_will_not_say_whether_it_happened_is_not_lost() -> None:
    rig = Rig(Letters(x=failing(EMPTY)))
    async with rig.at_work() as task_service, anyio.create_task_group() as tg:
        task = await failed(rig)
        await rig.idle()
        rig.store.lie_and_fall_silent()
        tg.start_soon(task_service.retry, task)
        await rig.paused.wait()
        rig.store.recover()
        rig.go_on.set()
        while (await rig.task(task)).sequence == task.sequence:
            await anyio.sleep(0)
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_a_task_that_waits_for_its_second_run_can_be_cancelled() -> None:
    hold = Latch()
    rig = Rig(Letters(x=failing(EMPTY)), concurrency=1)
    async with rig.at_work() as task_service:
        task = await failed(rig)
        rig.pipeline.acts["w"] = hold
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        again = await task_service.retry(task)
        assert (await task_service.cancel(again)).status is Status.CANCELLED
        hold.let_go.set()
        await rig.idle()
        assert rig.pipeline.begun["x"] == 1 + 1  # the other task's
        assert (await rig.statuses(task))[-2:] == [Status.MERGING, Status.CANCELLED]


async def test_a_process_that_dies_during_the_second_run_leaves_it_to_the_next() -> None:
    store, hold = FaultyStore(), Latch()
    rig = Rig(Letters(x=failing(EMPTY)), store)
    async with rig.at_work() as task_service:
        task = await failed(rig)
        rig.pipeline.acts["x"] = hold
        await task_service.retry(task)
        await hold.begun.wait()
    second = Rig(store=store)
    async with second.at_work():
        assert (await second.over(task)).status is Status.COMPLETED
    assert second.pipeline.begun == dict.fromkeys("xyz", 1)
