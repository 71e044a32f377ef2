from __future__ import annotations

import anyio
import pytest
from structlog.testing import capture_logs

from gencode.domain.errors import (
    AlreadyFinished,
    IdempotencyKeyReused,
    NotFound,
    QueueFull,
    ShuttingDown,
    StoreError,
)
from gencode.domain.task import Status
from gencode.engine.pipeline import Emit
from gencode.engine.store import IdempotencyKey
from gencode.llm.errors import LLMAuth
from tests.unit.engine.rig import FaultyStore, Latch, Letters, Rig, failing, new_task


async def test_what_was_submitted_is_stored_and_done() -> None:
    rig = Rig()
    async with rig.at_work():
        tasks = [await rig.submit(client=client) for client in "aabc"]
        assert [task.sequence for task in tasks] == [1] * 4
        for task in tasks:
            assert (await rig.over(task)).status is Status.COMPLETED
            await rig.log(task)
        await rig.idle()
    assert 'gencode_tasks_total{code="",outcome="completed"} 4.0' in rig.metrics.text().decode()


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_run_at_once_than_are_allowed(concurrency: int) -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=concurrency)
    async with rig.at_work() as task_service:
        tasks = [await rig.submit() for _ in range(6)]
        await anyio.wait_all_tasks_blocked()
        assert (task_service.running, task_service.waiting, hold.inside) == (
            concurrency,
            6 - concurrency,
            concurrency,
        )
        hold.let_go.set()
        for task in tasks:
            await rig.over(task)
    assert hold.most == concurrency


async def test_one_client_s_flood_leaves_the_others_their_turn() -> None:
    """Row 87 of the fault table, at the engine."""
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=1, waiting=100)
    async with rig.at_work():
        flood = [await rig.submit(client="flood") for _ in range(20)]
        other = await rig.submit(client="other")
        hold.let_go.set()
        await rig.over(other)
        ended = [task for task in flood if (await rig.task(task)).status.is_terminal]
        assert len(ended) <= 2


async def test_a_full_line_refuses_and_stores_nothing() -> None:
    rig = Rig(Letters(w=Latch()), concurrency=1, waiting=2)
    async with rig.at_work():
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        for _ in range(2):
            await rig.submit()
        refused = new_task()
        writes = rig.store.writes
        with pytest.raises(QueueFull):
            await rig.task_service.submit(refused)
        assert rig.store.writes == writes


async def test_places_are_counted_while_tasks_are_still_being_stored() -> None:
    rig = Rig(concurrency=1, waiting=2)
    refused = []

    async def submit() -> None:
        try:
            await rig.submit()
        except QueueFull as error:
            refused.append(error)

    async with rig.at_work():
        rig.store.gate = anyio.Event()
        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(submit)
            await anyio.wait_all_tasks_blocked()
            rig.store.gate.set()
    assert len(refused) == 3


async def test_before_it_runs_and_while_it_stops_it_accepts_nothing() -> None:
    rig = Rig()
    with pytest.raises(ShuttingDown):
        await rig.submit()
    async with rig.at_work() as task_service:
        assert task_service.accepting
        task_service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await rig.submit()
    assert not task_service.accepting


async def test_after_its_life_it_accepts_nothing_even_if_nobody_said_so() -> None:
    rig = Rig()
    async with rig.at_work():
        pass
    with pytest.raises(ShuttingDown):
        await rig.submit()


async def test_a_refusal_of_the_store_leaves_nothing_behind() -> None:
    rig = Rig(waiting=1)
    async with rig.at_work() as task_service:
        for _ in range(3):
            rig.store.refusals = 1
            with pytest.raises(StoreError):
                await rig.submit()
        assert (task_service.waiting, task_service.running) == (0, 0)
        await rig.over(await rig.submit())


# --- idempotency ------------------------------------------------------------------------------------


async def test_a_key_makes_one_task_however_often_and_whenever_it_comes() -> None:
    rig = Rig()
    key = IdempotencyKey(client="alice", value="k", digest="d")
    found = []

    async def submit() -> None:
        found.append(await rig.task_service.submit(new_task(), key))

    async with rig.at_work():
        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(submit)
        await rig.over(found[0])
        await submit()
        await rig.idle()
    assert len({task.id for task in found}) == 1
    assert rig.pipeline.begun["w"] == 1
    assert found[-1].status is Status.COMPLETED


async def test_a_key_with_another_body_is_refused_and_another_client_s_is_another() -> None:
    rig = Rig()
    async with rig.at_work() as task_service:
        first = await task_service.submit(new_task(), IdempotencyKey(client="alice", value="k", digest="d"))
        with pytest.raises(IdempotencyKeyReused):
            await task_service.submit(new_task(), IdempotencyKey(client="alice", value="k", digest="e"))
        other = await task_service.submit(new_task(), IdempotencyKey(client="bob", value="k", digest="e"))
        assert other.id != first.id


# --- cancelling -------------------------------------------------------------------------------------


async def test_a_running_task_is_cancelled_when_nothing_of_it_runs_any_more() -> None:
    hold = Latch()
    rig = Rig(Letters(x=hold))
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await hold.begun.wait()
        ended = await task_service.cancel(task)
        assert (ended.status, ended.message, hold.inside) == (Status.CANCELLED, "now cancelled", 0)
        assert (await rig.statuses(task))[-1] == "cancelled"
        assert rig.hub.over == [task.id]
        assert await task_service.cancel(task) == ended
    assert 'gencode_tasks_total{code="",outcome="cancelled"} 1.0' in rig.metrics.text().decode()


async def test_a_waiting_task_is_cancelled_and_never_begins() -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=1)
    async with rig.at_work() as task_service:
        first, second, third = [await rig.submit() for _ in range(3)]
        await hold.begun.wait()
        assert (await task_service.cancel(second)).status is Status.CANCELLED
        assert task_service.waiting == 1
        hold.let_go.set()
        await rig.over(third)
        assert await rig.statuses(second) == ["pending", "cancelled"]
        assert (await rig.task(first)).status is Status.COMPLETED
    assert rig.pipeline.begun["w"] == 2


@pytest.mark.parametrize("running", [True, False])
async def test_two_who_cancel_at_once_get_the_same_answer(running: bool) -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=1)
    answers = []
    async with rig.at_work() as task_service:
        tasks = [await rig.submit() for _ in range(2)]
        await hold.begun.wait()
        victim = tasks[0] if running else tasks[1]

        async def cancel() -> None:
            answers.append(await task_service.cancel(victim))

        rig.store.gate = anyio.Event()
        async with anyio.create_task_group() as tg:
            for _ in range(3):
                tg.start_soon(cancel)
            await anyio.wait_all_tasks_blocked()
            rig.store.gate.set()
    assert [answer.status for answer in answers] == [Status.CANCELLED] * 3
    assert (await rig.statuses(victim)).count("cancelled") == 1


async def test_a_task_between_two_stages_of_life_is_always_found() -> None:
    """Cancel right after submit, before any worker had its turn; and with a worker that is just taking it."""
    rig = Rig(concurrency=3)
    async with rig.at_work() as task_service:
        for turns in range(12):
            task = await rig.submit()
            for _ in range(turns):
                await anyio.sleep(0)
            try:
                ended = await task_service.cancel(task)
            except AlreadyFinished:
                ended = await rig.task(task)
                assert ended.status is Status.COMPLETED
            assert ended.status.is_terminal
            await rig.log(task)


@pytest.mark.parametrize("outcome", ["completed", "failed"])
async def test_a_task_that_ended_otherwise_cannot_be_cancelled(outcome: str) -> None:
    rig = Rig(Letters(w=failing(LLMAuth("no"))) if outcome == "failed" else None)
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await rig.over(task)
        with pytest.raises(AlreadyFinished, match=outcome):
            await task_service.cancel(task)


async def test_a_cancel_that_comes_while_the_end_is_written_is_too_late() -> None:
    rig = Rig()
    async with rig.at_work() as task_service:
        task = await rig.submit()
        writing = anyio.Event()

        async def before(number: int) -> None:
            if number == 11:
                rig.store.gate = anyio.Event()
                writing.set()

        rig.store.before = before
        await writing.wait()
        async with anyio.create_task_group() as tg:
            tg.start_soon(cancel_too_late, task_service, task)
            await anyio.wait_all_tasks_blocked()
            assert rig.store.gate is not None
            rig.store.gate.set()
        assert (await rig.statuses(task))[-1] == "completed"


async def cancel_too_late(task_service: object, task: object) -> None:
    with pytest.raises(AlreadyFinished):
        await task_service.cancel(task)  # type: ignore[attr-defined]


async def test_an_unknown_task_is_not_found() -> None:
    rig = Rig()
    async with rig.at_work() as task_service:
        with pytest.raises(NotFound):
            await task_service.cancel(new_task())


async def test_a_cancel_that_cannot_be_written_leaves_the_task_in_line() -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=1)
    async with rig.at_work() as task_service:
        tasks = [await rig.submit() for _ in range(3)]
        await hold.begun.wait()
        rig.store.refusals = 1
        with pytest.raises(StoreError):
            await task_service.cancel(tasks[1])
        assert task_service.waiting == 2
        hold.let_go.set()
        for task in tasks:
            assert (await rig.over(task)).status is Status.COMPLETED


async def test_a_cancel_whose_caller_leaves_happens_all_the_same() -> None:
    hold = Latch()
    rig = Rig(Letters(w=hold), concurrency=1)
    async with rig.at_work() as task_service:
        running, waiting = [await rig.submit() for _ in range(2)]
        await hold.begun.wait()
        for task in (waiting, running):
            rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
            async with anyio.create_task_group() as tg:
                tg.start_soon(task_service.cancel, task)
                await rig.store.asked.wait()
                tg.cancel_scope.cancel()
                rig.store.gate.set()
            assert (await rig.over(task)).status is Status.CANCELLED
        await rig.idle()


# --- a store that refuses ---------------------------------------------------------------------------


async def test_a_task_goes_on_when_the_store_is_back() -> None:
    rig = Rig(store_pause=7)
    rig.store.refuse(5)
    async with rig.at_work():
        task = await rig.submit()
        await rig.paused.wait()
        assert rig.sleeps == [7]
        assert not (await rig.task(task)).status.is_terminal
        rig.go_on.set()
        assert (await rig.over(task)).status is Status.COMPLETED
        assert "resumed" in [event.kind for event in await rig.log(task)]
    assert rig.pipeline.done == {"w": 1, "x": 1, "y": 1, "z": 1}


async def test_an_outage_of_any_length_is_no_crash_loop() -> None:
    """Each start can be written, and what comes next cannot."""
    rig = Rig(max_attempts=3)
    rig.go_on.set()

    async def before(number: int) -> None:
        rig.store.refusals = int(3 <= number < 60 and number % 2)

    rig.store.before = before
    async with rig.at_work():
        task = await rig.submit()
        assert (await rig.over(task)).status is Status.COMPLETED
        await rig.log(task)
    assert len(rig.sleeps) > 10


async def test_a_read_that_is_refused_is_no_crash_either() -> None:
    rig = Rig(max_attempts=2)
    rig.go_on.set()
    checkpoints, refusals = rig.store.checkpoints, [StoreError("away")] * 6

    async def refuse(task_id: str) -> dict[str, str]:
        if refusals:
            raise refusals.pop()
        return await checkpoints(task_id)

    rig.store.checkpoints = refuse  # type: ignore[method-assign]
    async with rig.at_work():
        assert (await rig.over(await rig.submit())).status is Status.COMPLETED


async def test_a_cancel_in_an_outage_is_kept_until_the_store_is_back() -> None:
    rig = Rig()
    rig.store.refuse(5)
    async with rig.at_work() as task_service:
        task = await rig.submit()
        await rig.paused.wait()
        async with anyio.create_task_group() as tg:
            tg.start_soon(task_service.cancel, task)
            await anyio.wait_all_tasks_blocked()
            rig.go_on.set()
        assert await rig.statuses(task) == ["pending", "generating", "cancelled"]
        await rig.log(task)


async def test_an_end_that_was_stored_although_the_store_denied_it_is_told_and_counted_once() -> None:
    rig = Rig()
    rig.store.refuse(11)
    rig.store.lying = True
    async with rig.at_work():
        task = await rig.submit()
        await rig.paused.wait()
        rig.go_on.set()
        await rig.idle()
        assert (await rig.statuses(task))[-1] == "completed"
        assert rig.hub.over == [task.id]
    assert 'gencode_tasks_total{code="",outcome="completed"} 1.0' in rig.metrics.text().decode()


async def test_an_outage_holds_up_its_own_tasks_only() -> None:
    rig = Rig(concurrency=2)
    rig.store.refuse(3)
    async with rig.at_work():
        stuck = await rig.submit()
        await rig.paused.wait()
        assert (await rig.over(await rig.submit())).status is Status.COMPLETED
        assert not (await rig.task(stuck)).status.is_terminal


# --- bugs -------------------------------------------------------------------------------------------


async def test_a_bug_around_one_task_leaves_the_manager_alive() -> None:
    """Even the failure could not be noted: the task stays for the next process, the others go on."""
    rig = Rig(concurrency=1)
    original = rig.runner.run
    broken = new_task()

    async def run(task_log: object) -> None:
        if task_log.task.id == broken.id:  # type: ignore[attr-defined]
            raise ZeroDivisionError
        await original(task_log)  # type: ignore[arg-type]

    rig.runner.run = run  # type: ignore[method-assign, assignment]
    async with rig.at_work() as task_service:
        with capture_logs() as logs:
            await task_service.submit(broken)
            assert (await rig.over(await rig.submit())).status is Status.COMPLETED
        assert [entry["event"] for entry in logs if entry.get("exc_info")]
        assert (await rig.task(broken)).status is Status.PENDING
        with pytest.raises(ShuttingDown):
            await task_service.cancel(broken)


# --- stopping and starting --------------------------------------------------------------------------


async def test_an_orderly_stop_rests_what_runs_and_the_next_process_goes_on() -> None:
    hold = Latch()
    store = FaultyStore()
    first = Rig(Letters(x=hold), store, concurrency=1)
    async with first.at_work():
        running = await first.submit(attempts=2)
        waiting = await first.submit()
        await hold.begun.wait()
    assert hold.inside == 0
    rested = await first.task(running)
    assert (rested.status, rested.attempts) == (Status.MERGING, 0)
    second = Rig(Letters(), store)
    async with second.at_work():
        for task in (running, waiting):
            assert (await second.over(task)).status is Status.COMPLETED
    assert second.pipeline.begun == {"w": 1, "x": 2, "y": 2, "z": 2}


async def test_what_an_earlier_process_left_is_served_in_the_order_of_acceptance() -> None:
    store = FaultyStore()
    tasks = [new_task() for _ in range(5)]
    for task in tasks:
        await store.inner.create(task, [])
    begun: list[str] = []
    rig = Rig(Letters(), store, concurrency=1, waiting=1)
    original = rig.runner.run

    async def run(task_log: object) -> None:
        begun.append(task_log.task.id)  # type: ignore[attr-defined]
        await original(task_log)  # type: ignore[arg-type]

    rig.runner.run = run  # type: ignore[method-assign, assignment]
    async with rig.at_work():
        await rig.idle()
    assert begun == [task.id for task in tasks]


async def test_a_task_accepted_in_the_last_moment_belongs_to_the_next_process() -> None:
    store = FaultyStore()
    first = Rig(store=store)
    accepted = []

    async def submit() -> None:
        accepted.append(await first.submit())

    async with anyio.create_task_group() as tg:
        async with first.at_work() as task_service:
            store.gate = anyio.Event()
            tg.start_soon(submit)
            await anyio.wait_all_tasks_blocked()
            task_service.stop_accepting()
        store.gate.set()
    second = Rig(store=store)
    async with second.at_work():
        assert (await second.over(accepted[0])).status is Status.COMPLETED


async def test_a_cancel_that_meets_the_stop_is_a_cancel() -> None:
    async def slow_to_leave(send: Emit) -> None:
        held.set()
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await leave.wait()

    held, leave = anyio.Event(), anyio.Event()
    rig = Rig(Letters(w=slow_to_leave))
    answers = []

    async def cancel() -> None:
        answers.append(await rig.task_service.cancel(task))

    async with anyio.create_task_group() as outer, anyio.create_task_group() as tg:
        await tg.start(rig.task_service.run)
        task = await rig.submit()
        await held.wait()
        outer.start_soon(cancel)
        await anyio.wait_all_tasks_blocked()
        tg.cancel_scope.cancel()
        leave.set()
    assert [answer.status for answer in answers] == [Status.CANCELLED]


async def test_who_waits_for_a_cancel_that_the_stop_overtakes_is_told_so() -> None:
    rig = Rig()
    rig.store.refuse(5)
    told = []

    async def cancel() -> None:
        try:
            await rig.task_service.cancel(task)
        except (ShuttingDown, StoreError) as error:
            told.append(error.code)

    async with anyio.create_task_group() as outer, anyio.create_task_group() as tg:
        await tg.start(rig.task_service.run)
        task = await rig.submit()
        await rig.paused.wait()
        rig.store.before = None
        rig.store.refusals = 9
        outer.start_soon(cancel)
        await anyio.wait_all_tasks_blocked()
        tg.cancel_scope.cancel()
    assert told == ["SHUTTING_DOWN"]
    assert not (await rig.task(task)).status.is_terminal


async def test_a_stop_in_an_outage_ends_in_time() -> None:
    rig = Rig()
    rig.store.refuse(5)
    async with rig.at_work():
        task = await rig.submit()
        await rig.paused.wait()
        rig.store.down = True
    rig.store.down = False
    assert not (await rig.task(task)).status.is_terminal


async def test_a_store_that_cannot_be_read_is_told_to_the_owner_at_the_start() -> None:
    rig = Rig()
    rig.store.down = True
    with pytest.raises(BaseException) as caught:
        async with rig.at_work():
            pass
    assert isinstance(caught.value, StoreError) or caught.group_contains(StoreError)
