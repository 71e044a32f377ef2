"""A task that waits for a person's word costs nothing meanwhile, and goes on, or ends, when it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from gencode.domain.errors import AlreadyFinished, NotPaused, QueueFull, ShuttingDown, StoreError
from gencode.domain.task import Status, Task, now
from gencode.engine.paused_tasks import PausedTasks
from gencode.engine.pipeline import StageUpdate
from gencode.pipelines.generate.errors import PlanChanged
from tests.unit.engine.rig import FaultyStore, Latch, Letters, Rig, failing, holding


def word(checkpoints: Mapping[str, str]) -> StageUpdate:
    return StageUpdate(data={"revision": 1}, keep={"approved": "{}"})


async def held(rig: Rig) -> Task:
    return await rig.held(await rig.submit())


async def test_it_gives_up_its_place_and_goes_on_with_the_stage_that_held_it() -> None:
    rig = Rig(Letters(x=holding()), concurrency=1)
    async with rig.at_work() as task_service:
        task = await held(rig)
        assert (task.status, task.message, task.attempts) == (Status.MERGING, "may I?", 0)
        assert (task_service.held, task_service.running, task_service.waiting) == (1, 0, 0)
        assert (await rig.over(await rig.submit())).status is Status.COMPLETED
        again = await task_service.approve(task, word)
        assert (again.status, again.paused_until, again.message) == (task.status, None, f"now {task.status}")
        assert (await rig.over(task)).status is Status.COMPLETED
        assert (task_service.held, rig.pipeline.done["w"]) == (0, 2)
        assert "approved" in await rig.store.checkpoints(task.id)
        log = [(event.kind, event.data) for event in await rig.log(task)]
    kinds = [kind for kind, _ in log]
    assert kinds[kinds.index("approval") :][:3] == ["approval", "approved", "resumed"]
    told = dict(log)
    assert told["approval"].keys() == {"status", "message", "at", "awaiting_approval", "approve_by"}
    assert (told["approval"]["awaiting_approval"], told["approved"]["awaiting_approval"]) == (True, False)
    assert (told["approved"]["approve_by"], told["approved"]["revision"]) == (None, 1)


async def test_clicks_at_once_start_one_run() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(task_service.approve, task, word)
        assert (await rig.over(task)).status is Status.COMPLETED
        assert [event.kind for event in await rig.log(task)].count("approved") == 1
        assert rig.pipeline.begun["x"] == 2


async def test_a_word_that_is_refused_changes_nothing() -> None:
    def refuse(checkpoints: Mapping[str, str]) -> StageUpdate:
        raise PlanChanged("read it again")

    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        for ask in (task_service.approve, task_service.amend):
            with pytest.raises(PlanChanged):
                await ask(task, refuse)
        assert await rig.task(task) == task
        assert task_service.held == 1


async def test_what_is_changed_meanwhile_is_kept_and_told_and_it_waits_on() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        change = StageUpdate(kind="plan", data={"n": 2}, keep={"plan": "new"})
        amended = await task_service.amend(task, lambda checkpoints: change)
        assert (amended.paused_until, amended.sequence) == (task.paused_until, task.sequence + 1)
        assert (await rig.log(task))[-1].data == {"n": 2}
        assert (await rig.store.checkpoints(task.id))["plan"] == "new"
        assert (await task_service.cancel(task)).status is Status.CANCELLED  # of what the client saw before


async def test_only_what_waits_is_approved_or_changed() -> None:
    latch = Latch()
    rig = Rig(Letters(w=latch))
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await latch.begun.wait()
        for ask in (task_service.approve, task_service.amend):
            with pytest.raises(NotPaused):
                await ask(await rig.task(task), word)
        latch.let_go.set()
        done = await rig.over(task)
        for ask in (task_service.approve, task_service.amend):
            with pytest.raises(AlreadyFinished):
                await ask(done, word)


async def test_it_can_be_cancelled() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        assert (await task_service.cancel(task)).status is Status.CANCELLED
        assert (await task_service.cancel(task)).paused_until is None
        assert task_service.held == 0
        with pytest.raises(AlreadyFinished):
            await task_service.approve(task, word)
        assert (await rig.statuses(task))[-1] == Status.CANCELLED


async def test_a_full_line_refuses_and_the_task_waits_on() -> None:
    latch = Latch()
    rig = Rig(Letters(x=holding()), concurrency=1, waiting=1)
    async with rig.at_work() as task_service:
        task = await held(rig)
        rig.pipeline.acts["w"] = latch
        await rig.submit()
        await latch.begun.wait()
        await rig.submit()
        with pytest.raises(QueueFull):
            await task_service.approve(task, word)
        assert await rig.task(task) == task
        latch.let_go.set()
        await rig.idle()
        await task_service.approve(task, word)
        assert (await rig.over(task)).status is Status.COMPLETED


async def test_a_service_that_stops_refuses() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        task_service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await task_service.approve(task, word)


async def test_without_a_word_in_time_it_fails_and_a_retry_asks_again() -> None:
    rig = Rig(Letters(x=holding(times=2, seconds=0)))
    async with rig.at_work() as task_service:
        task = await rig.over(await rig.submit())
        assert task.failure
        assert (task.failure.code, task.failure.retryable) == ("APPROVAL_EXPIRED", True)
        assert (task.failure.stage, task.paused_until) == (Status.MERGING, None)
        rig.pipeline.acts["x"] = holding()
        await task_service.retry(task)
        again = await rig.held(task)
        await task_service.approve(again, word)
        assert (await rig.over(task)).status is Status.COMPLETED
        assert (await rig.statuses(task)).count("failed") == 1


async def test_the_time_that_a_run_may_take_is_not_used_up_while_it_waits() -> None:
    rig = Rig(Letters(x=holding()), timeout=0.2)
    async with rig.at_work() as task_service:
        task = await held(rig)
        await anyio.sleep(0.3)
        assert (await rig.task(task)).paused_until
        await task_service.approve(task, word)
        assert (await rig.over(task)).status is Status.COMPLETED


async def test_the_next_process_holds_it_still_and_says_nothing() -> None:
    store = FaultyStore()
    first = Rig(Letters(x=holding()), store, max_attempts=2)
    async with first.at_work():
        task = await held(first)
    for _ in range(4):
        rig = Rig(Letters(), store, max_attempts=2)
        async with rig.at_work() as task_service:
            await anyio.wait_all_tasks_blocked()
            assert (await rig.task(task), task_service.held, task_service.running) == (task, 1, 0)
            assert not rig.hub.told
    last = Rig(Letters(), store, max_attempts=2)
    async with last.at_work() as task_service:
        await task_service.approve(task, word)
        assert (await last.over(task)).status is Status.COMPLETED


async def test_a_time_that_ran_out_between_two_processes_has_run_out() -> None:
    store = FaultyStore()
    first = Rig(Letters(x=holding()), store)
    async with first.at_work():
        task = await held(first)
    moment = now() - timedelta(seconds=1)
    await store.inner.commit(replace(task, paused_until=moment))
    rig = Rig(store=store)
    async with rig.at_work():
        ended = await rig.over(task)
    assert ended.failure
    assert ended.failure.code == "APPROVAL_EXPIRED"


# --- a store that refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("lying", [False, True])
async def test_a_hold_that_could_not_be_stored_is_stored_later(lying: bool) -> None:
    rig = Rig(Letters(w=holding(times=2)))
    rig.store.lying = lying
    rig.store.refuse(4)  # creation, start, generating, the hold
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await rig.paused.wait()
        rig.go_on.set()
        await rig.held(task)
        assert [event.kind for event in await rig.log(task)].count("approval") == 1
        rig.pipeline.acts.clear()
        await task_service.approve(await rig.task(task), word)
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_an_approval_that_could_not_be_stored_can_be_given_again() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        rig.store.refusals = 1
        with pytest.raises(StoreError):
            await task_service.approve(task, word)
        assert (await rig.task(task), task_service.held) == (task, 1)
        await task_service.approve(task, word)
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_an_approval_that_was_stored_and_denied_is_found_out() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        rig.store.refusals, rig.store.lying = 1, True
        assert (await task_service.approve(task, word)).paused_until is None
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_an_approval_of_which_the_store_will_not_say_whether_it_happened_is_not_lost() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service, anyio.create_task_group() as tg:
        task = await held(rig)
        await rig.idle()
        rig.store.lie_and_fall_silent()
        tg.start_soon(task_service.approve, task, word)
        await rig.paused.wait()
        rig.store.recover()
        rig.go_on.set()
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)


async def test_a_service_that_stops_does_not_wait_for_a_silent_store() -> None:
    rig = Rig(Letters(x=holding()))
    answers: list[Exception] = []
    async with rig.at_work() as task_service, anyio.create_task_group() as tg:
        task = await held(rig)
        rig.store.lie_and_fall_silent()

        async def approve() -> None:
            try:
                await task_service.approve(task, word)
            except ShuttingDown as error:
                answers.append(error)

        tg.start_soon(approve)
        await rig.paused.wait()
        task_service.stop_accepting()
        rig.go_on.set()
    assert answers
    rig.store.recover()
    last = Rig(Letters(), rig.store)
    async with last.at_work():
        assert (await last.over(task)).status is Status.COMPLETED


@pytest.mark.parametrize("lying", [False, True])
async def test_an_end_that_could_not_be_stored_comes_later(lying: bool) -> None:
    rig = Rig(Letters(w=holding(seconds=0)))
    rig.store.lying = lying
    rig.store.refuse(5)  # creation, start, generating, the hold, its end
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await rig.paused.wait()
        rig.go_on.set()
        assert (await rig.over(task)).status is Status.FAILED
        await rig.idle()
        assert task_service.held == 0
        assert (await rig.statuses(task)).count("failed") == 1


async def test_a_cancellation_that_could_not_be_stored_leaves_it_held() -> None:
    rig = Rig(Letters(x=holding()))
    async with rig.at_work() as task_service:
        task = await held(rig)
        rig.store.refusals = 1
        with pytest.raises(StoreError):
            await task_service.cancel(task)
        assert task_service.held == 1
        assert (await task_service.cancel(task)).status is Status.CANCELLED
        await rig.log(task)


async def test_a_failure_after_the_approval_asks_for_no_other_word() -> None:
    rig = Rig(Letters(x=holding(), y=failing(StoreError("no"))))
    async with rig.at_work() as task_service:
        task = await held(rig)
        rig.go_on.set()
        await task_service.approve(task, word)
        assert (await rig.over(task)).status is Status.COMPLETED
        assert [event.kind for event in await rig.log(task)].count("approval") == 1


# --- the clock --------------------------------------------------------------------------------------


async def test_the_soonest_is_the_first_to_expire_whatever_the_order() -> None:
    moment = now()
    holds = PausedTasks(clock=lambda: moment)
    holds.put("late", moment - timedelta(seconds=1))
    holds.put("early", moment - timedelta(seconds=2))
    holds.put("gone", moment - timedelta(seconds=3))
    holds.remove("gone")
    assert await holds.expired() == "early"
    holds.remove("early")
    assert await holds.expired() == "late"
    assert ("late" in holds, len(holds)) == (True, 1)


async def test_one_that_comes_later_but_ends_sooner_is_heard_of() -> None:
    moment = now()
    holds = PausedTasks(clock=lambda: moment)
    holds.put("far", moment + timedelta(days=1))
    async with anyio.create_task_group() as tg:

        async def wait() -> None:
            assert await holds.expired() == "near"

        tg.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        holds.put("near", moment)
