from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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
    UnknownKind,
)
from gencode.domain.task import Failure, State, Task, now
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.engine.ports.store import IdempotencyKey
from gencode.engine.service import TaskService
from gencode.engine.task_log import TaskLog
from tests.unit.engine.rig import (
    FOUR,
    SEVEN,
    TWO,
    FaultyStore,
    Latch,
    NoAccess,
    RecordingHub,
    Rig,
    Spelling,
    failing,
    leaving,
    new_task,
)

PROMPT = {"prompt": "a word"}


async def test_what_was_submitted_is_stored_and_run() -> None:
    rig = Rig()
    async with rig.running():
        tasks = [await rig.submit(principal=principal) for principal in "aabc"]
        assert [(task.sequence, task.state, task.status) for task in tasks] == [
            (1, State.QUEUED, "pending")
        ] * 4
        for task in tasks:
            assert (await rig.finished(task)).state is State.SUCCEEDED
            await rig.log(task)
            assert await rig.store.request(task.id) == PROMPT
        await rig.idle()
    assert rig.counted("completed") == 4


@pytest.mark.parametrize("stages", [TWO, FOUR, SEVEN, {}], ids=len)
async def test_a_kind_has_as_many_stages_as_it_likes(stages: dict[str, str]) -> None:
    rig = Rig(Spelling(stages))
    async with rig.running():
        task = await rig.finished(await rig.submit())
        assert await rig.statuses(task) == ["pending", *stages, "completed"]


async def test_kinds_run_side_by_side() -> None:
    others = Spelling(TWO)
    rig = Rig(pipelines={"others": others})
    async with rig.running():
        one, other = await rig.submit(), await rig.submit(kind="others")
        assert (await rig.finished(one)).result["word"] == "wxyz"
        assert (await rig.finished(other)).result["word"] == "ra"


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_run_at_once_than_are_allowed(concurrency: int) -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=concurrency)
    async with rig.running() as service:
        tasks = [await rig.submit() for _ in range(6)]
        await anyio.wait_all_tasks_blocked()
        assert (service.running, service.waiting, latch.inside) == (concurrency, 6 - concurrency, concurrency)
        latch.released.set()
        for task in tasks:
            await rig.finished(task)
    assert latch.most == concurrency


async def test_the_flood_of_one_principal_leaves_the_others_their_turn() -> None:
    """Row 87 of the fault table, at the engine."""
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1, waiting=100)
    async with rig.running():
        flood = [await rig.submit(principal="flood") for _ in range(20)]
        other = await rig.submit(principal="other")
        latch.released.set()
        await rig.finished(other)
        ended = [task for task in flood if (await rig.task(task)).state.is_terminal]
        assert len(ended) <= 2


async def test_waiting_tasks_are_held_in_memory_by_id_only() -> None:
    """900 waiting tasks of 99,000 characters took 530 MB (review, point 5)."""
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1, waiting=100)
    async with rig.running() as service:
        submitted = [(await rig.submit(parameters={"n": n})).id for n in range(20)]
        await latch.entered.wait()
        gc.collect()
        held = [one.id for one in gc.get_objects() if isinstance(one, Task) and one.id in submitted]
        assert set(held) == {submitted[0]}
        assert service.waiting == 19
        latch.released.set()


# --- refusals ---------------------------------------------------------------------------------------


async def test_a_full_queue_refuses_and_stores_nothing() -> None:
    rig = Rig(Spelling(w=Latch()), concurrency=1, waiting=2)
    async with rig.running():
        await rig.submit()
        await anyio.wait_all_tasks_blocked()
        for _ in range(2):
            await rig.submit()
        writes = rig.store.writes
        with pytest.raises(QueueFull):
            await rig.submit()
        assert rig.store.writes == writes


async def test_places_are_counted_while_tasks_are_still_being_stored() -> None:
    rig = Rig(concurrency=1, waiting=2)
    refused = []

    async def submit() -> None:
        try:
            await rig.submit()
        except QueueFull as error:
            refused.append(error)

    async with rig.running():
        rig.store.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(submit)
            await anyio.wait_all_tasks_blocked()
            rig.store.gate.set()
    assert len(refused) == 3


async def test_before_it_runs_and_while_it_stops_it_accepts_nothing() -> None:
    rig = Rig()
    with pytest.raises(ShuttingDown):
        await rig.submit()
    async with rig.running() as service:
        assert service.accepting
        service.stop_accepting()
        with pytest.raises(ShuttingDown):
            await rig.submit()
    assert not service.accepting


async def test_after_its_lifetime_it_accepts_nothing_even_if_nobody_stopped_it() -> None:
    rig = Rig()
    async with rig.running():
        pass
    with pytest.raises(ShuttingDown):
        await rig.submit()


async def test_a_store_that_refuses_leaves_nothing_behind() -> None:
    rig = Rig(waiting=1)
    async with rig.running() as service:
        for _ in range(3):
            rig.store.refusals = 1
            with pytest.raises(StoreError):
                await rig.submit()
        assert (service.waiting, service.running) == (0, 0)
        await rig.finished(await rig.submit())


# --- idempotency ------------------------------------------------------------------------------------


def key(principal: str = "alice", digest: str = "d") -> IdempotencyKey:
    return IdempotencyKey(principal=principal, value="k", digest=digest)


async def test_a_key_makes_one_task_however_often_and_whenever_it_comes() -> None:
    rig = Rig()
    found = []

    async def submit() -> None:
        found.append(await rig.service.submit(new_task(), PROMPT, key()))

    async with rig.running():
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(submit)
        await rig.finished(found[0])
        await submit()
        await rig.idle()
    assert len({task.id for task in found}) == 1
    assert rig.pipeline.started["w"] == 1
    assert found[-1].state is State.SUCCEEDED


async def test_a_key_with_another_body_is_refused_and_another_principal_s_is_another() -> None:
    rig = Rig()
    async with rig.running() as service:
        first = await service.submit(new_task(), PROMPT, key())
        with pytest.raises(IdempotencyKeyReused):
            await service.submit(new_task(), PROMPT, key(digest="e"))
        other = await service.submit(new_task(), PROMPT, key("bob", digest="e"))
        assert other.id != first.id


# --- cancelling -------------------------------------------------------------------------------------


async def test_cancel_returns_when_nothing_of_a_running_task_runs_any_more() -> None:
    latch = Latch()
    rig = Rig(Spelling(x=latch))
    async with rig.running() as service:
        task = await rig.submit()
        await latch.entered.wait()
        ended = await service.cancel(task)
        assert (ended.state, ended.status, ended.stage) == (State.CANCELLED, "cancelled", "check")
        assert (ended.message, latch.inside) == ("now cancelled", 0)
        assert (await rig.statuses(task))[-1] == "cancelled"
        assert rig.hub.final == [task.id]
        assert await service.cancel(task) == ended
    assert rig.counted("cancelled") == 1


async def test_a_waiting_task_is_cancelled_and_never_starts() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        first, second, third = [await rig.submit() for _ in range(3)]
        await latch.entered.wait()
        assert (await service.cancel(second)).state is State.CANCELLED
        assert service.waiting == 1
        latch.released.set()
        await rig.finished(third)
        assert await rig.statuses(second) == ["pending", "cancelled"]
        assert (await rig.task(first)).state is State.SUCCEEDED
    assert rig.pipeline.started["w"] == 2
    assert rig.counted("cancelled") == 1


@pytest.mark.parametrize("running", [True, False])
async def test_several_that_cancel_at_once_get_the_same_answer(running: bool) -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    answers = []
    async with rig.running() as service:
        tasks = [await rig.submit() for _ in range(2)]
        await latch.entered.wait()
        victim = tasks[0] if running else tasks[1]

        async def cancel() -> None:
            answers.append(await service.cancel(victim))

        rig.store.gate = anyio.Event()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(cancel)
            await anyio.wait_all_tasks_blocked()
            rig.store.gate.set()
    assert [answer.state for answer in answers] == [State.CANCELLED] * 3
    assert (await rig.statuses(victim)).count("cancelled") == 1
    assert rig.counted("cancelled") == 1


async def test_a_task_between_the_queue_and_a_worker_is_always_found() -> None:
    """Cancel right after submit, before any worker had its turn; and with a worker that is just taking it."""
    rig = Rig(concurrency=3)
    async with rig.running() as service:
        for turns in range(12):
            task = await rig.submit()
            for _ in range(turns):
                await anyio.sleep(0)
            try:
                ended = await service.cancel(task)
            except AlreadyFinished:
                ended = await rig.task(task)
                assert ended.state is State.SUCCEEDED
            assert ended.state.is_terminal
            await rig.log(task)


@pytest.mark.parametrize("outcome", ["completed", "failed"])
async def test_a_task_that_ended_in_another_way_cannot_be_cancelled(outcome: str) -> None:
    rig = Rig(Spelling(w=failing(NoAccess("no"))) if outcome == "failed" else None)
    async with rig.running() as service:
        task = await rig.submit()
        await rig.finished(task)
        with pytest.raises(AlreadyFinished, match=outcome):
            await service.cancel(task)


async def test_a_cancel_that_comes_while_the_end_is_written_is_too_late() -> None:
    rig = Rig()
    async with rig.running() as service:
        task = await rig.submit()
        writing = anyio.Event()

        async def before(number: int) -> None:
            if number == 11:
                rig.store.gate = anyio.Event()
                writing.set()

        rig.store.before = before
        await writing.wait()
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_too_late, service, task)
            await anyio.wait_all_tasks_blocked()
            assert rig.store.gate is not None
            rig.store.gate.set()
        assert (await rig.statuses(task))[-1] == "completed"
        assert rig.counted("completed") == 1


async def cancel_too_late(service: TaskService, task: Task) -> None:
    with pytest.raises(AlreadyFinished):
        await service.cancel(task)


async def test_an_unknown_task_is_not_found() -> None:
    rig = Rig()
    async with rig.running() as service:
        with pytest.raises(NotFound):
            await service.cancel(new_task())


@pytest.mark.parametrize("outcome", ["refused", "lost"])
async def test_a_cancel_that_cannot_be_stored_leaves_the_task_in_the_queue(outcome: str) -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        tasks = [await rig.submit() for _ in range(3)]
        await latch.entered.wait()
        rig.store.refusals, rig.store.outcome = 1, outcome  # type: ignore[assignment]
        with pytest.raises(StoreError):
            await service.cancel(tasks[1])
        assert service.waiting == 2
        latch.released.set()
        for task in tasks:
            assert (await rig.finished(task)).state is State.SUCCEEDED


async def test_a_cancel_that_was_stored_without_confirmation_is_a_cancel() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        _, task = [await rig.submit() for _ in range(2)]
        await latch.entered.wait()
        rig.store.refusals, rig.store.outcome = 1, "stored"
        assert (await service.cancel(task)).state is State.CANCELLED
        assert (service.waiting, rig.hub.final) == (0, [task.id])
        await rig.log(task)
        latch.released.set()


@pytest.mark.parametrize("natively", [False, True])
async def test_a_cancel_whose_caller_leaves_happens_all_the_same(natively: bool) -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        running, waiting = [await rig.submit() for _ in range(2)]
        await latch.entered.wait()
        for task in (waiting, running):
            rig.store.gate, rig.store.asked = anyio.Event(), anyio.Event()
            async with leaving(service.cancel(task), natively):
                await rig.store.asked.wait()
            rig.store.gate.set()
            assert (await rig.finished(task)).state is State.CANCELLED
            await rig.log(task)
        await rig.idle()


async def test_an_orphaned_task_can_be_cancelled() -> None:
    """A cancel of such a task answered that the service is stopping (review, point 3)."""
    rig = Rig()
    async with rig.running() as service:
        task = new_task(sequence=0)
        await rig.store.create(task, PROMPT, [])
        assert (await service.cancel(task)).state is State.CANCELLED
        assert (await service.cancel(task)).status == "cancelled"
    assert rig.counted("cancelled") == 1


async def test_one_task_s_slow_cancel_delays_no_other() -> None:
    """The lock is the task's own: a stage that takes its time to stop holds up nobody else."""
    leave = anyio.Event()

    async def slow_to_leave(emit: Emit) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await leave.wait()

    rig = Rig(Spelling(w=slow_to_leave), concurrency=1)
    async with rig.running() as service, anyio.create_task_group() as group:
        slow, other = [await rig.submit() for _ in range(2)]
        await anyio.wait_all_tasks_blocked()
        group.start_soon(service.cancel, slow)
        await anyio.wait_all_tasks_blocked()
        assert (await service.cancel(other)).state is State.CANCELLED
        assert (await rig.task(slow)).state is State.RUNNING
        leave.set()


# --- a store that refuses ---------------------------------------------------------------------------


async def test_a_task_continues_when_the_store_is_back() -> None:
    rig = Rig(store_retry_seconds=7)
    rig.store.refuse(5)
    async with rig.running():
        task = await rig.submit()
        await rig.store_refused.wait()
        assert rig.sleeps == [7]
        assert (await rig.task(task)).state is State.RUNNING
        rig.retry_store.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert "resumed" in [event.kind for event in await rig.log(task)]
    assert rig.pipeline.finished == {"w": 1, "x": 1, "y": 1, "z": 1}


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
async def test_an_outage_of_any_length_is_no_crash_loop(outcome: str) -> None:
    """Each start can be written, and what comes next cannot."""
    rig = Rig(max_attempts=3)
    rig.retry_store.set()
    rig.store.outcome = outcome  # type: ignore[assignment]

    async def before(number: int) -> None:
        rig.store.refusals = int(3 <= number < 60 and number % 2)

    rig.store.before = before
    async with rig.running():
        task = await rig.submit()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        await rig.idle()
        await rig.log(task)
    assert len(rig.sleeps) > (3 if outcome == "stored" else 10)


async def test_a_start_whose_outcome_stays_unknown_is_no_crash_either() -> None:
    rig = Rig(max_attempts=2)
    rig.retry_store.set()
    rig.store.outcome = "stored"

    async def before(number: int) -> None:
        rig.store.refusals = int(2 <= number < 10)

    rig.store.before = before
    async with rig.running():
        assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED


async def test_a_read_that_is_refused_is_no_crash_either() -> None:
    rig = Rig(max_attempts=2)
    rig.retry_store.set()
    checkpoints, refusals = rig.store.checkpoints, [StoreError("away")] * 6

    async def refuse(task_id: str) -> dict[str, str]:
        if refusals:
            raise refusals.pop()
        return await checkpoints(task_id)

    rig.store.checkpoints = refuse  # type: ignore[method-assign]
    async with rig.running():
        assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED


async def test_a_worker_that_cannot_read_its_task_tries_until_it_can() -> None:
    rig = Rig()
    async with rig.running():
        find, refusals = rig.store.find, [StoreError("away")] * 3

        async def refuse(query: Any) -> list[Task]:
            if refusals:
                raise refusals.pop()
            return await find(query)

        rig.store.find = refuse  # type: ignore[method-assign]
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.retry_store.set()
        assert (await rig.finished(task)).state is State.SUCCEEDED
        assert len(rig.sleeps) == 3


async def test_a_cancel_in_an_outage_happens_when_the_store_is_back() -> None:
    rig = Rig()
    rig.store.refuse(5)
    async with rig.running() as service:
        task = await rig.submit()
        await rig.store_refused.wait()
        async with anyio.create_task_group() as group:
            group.start_soon(service.cancel, task)
            await anyio.wait_all_tasks_blocked()
            rig.retry_store.set()
        assert await rig.statuses(task) == ["pending", "draft", "cancelled"]
        await rig.log(task)


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
async def test_an_end_that_the_store_did_not_confirm_is_published_and_counted_once(outcome: str) -> None:
    rig = Rig()
    rig.store.refuse(11)
    rig.store.outcome = outcome  # type: ignore[assignment]
    async with rig.running():
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.retry_store.set()
        await rig.idle()
        assert (await rig.statuses(task))[-1] == "completed"
        assert rig.hub.final == [task.id]
    assert rig.counted("completed") == 1


async def test_an_outage_holds_up_its_own_tasks_only() -> None:
    rig = Rig(concurrency=2)
    rig.store.refuse(3)
    async with rig.running():
        stuck = await rig.submit()
        await rig.store_refused.wait()
        assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED
        assert (await rig.task(stuck)).state is State.RUNNING


# --- a second writer, a second delivery -------------------------------------------------------------


async def test_a_second_writer_makes_the_worker_leave_the_task_alone() -> None:
    async def write_too(emit: Emit) -> None:
        other = TaskLog(await rig.task(task), rig.store.inner, RecordingHub())
        await other.emit(StageUpdate(kind="other"))

    rig = Rig(Spelling(x=write_too))
    async with rig.running() as service:
        with capture_logs() as logs:
            task = await rig.submit()
            await anyio.wait_all_tasks_blocked()
            await rig.idle()
        events = await rig.store.events(task.id)
        assert (events[-1].kind, (await rig.task(task)).state) == ("other", State.RUNNING)
        assert rig.sleeps == []
        assert len([entry for entry in logs if "another worker" in entry["event"]]) == 1
        assert (service.running, rig.counted("completed")) == (0, 0)
        rig.pipeline.acts.clear()
        assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED


async def test_a_task_that_another_writer_has_ended_stays_as_it_is() -> None:
    async def cancel_elsewhere(emit: Emit) -> None:
        other = TaskLog(await rig.task(task), rig.store.inner, RecordingHub())
        await other.cancel("elsewhere")

    rig = Rig(Spelling(x=cancel_elsewhere))
    async with rig.running() as service:
        task = await rig.submit()
        ended = await rig.finished(task)
        await rig.idle()
        assert (await rig.task(task), ended.message) == (ended, "elsewhere")
        assert (await service.cancel(task)) == ended
        assert rig.counted("completed") == rig.counted("cancelled") == 0


@pytest.mark.parametrize("when", ["waiting", "running", "over"])
async def test_a_task_that_is_queued_twice_runs_once_and_is_counted_once(when: str) -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1 if when == "waiting" else 3)
    async with rig.running() as service:
        task = await rig.submit()
        if when == "waiting":
            task = await rig.submit()
        await latch.entered.wait()
        if when == "over":
            latch.released.set()
            await rig.finished(task)
        rig.queue.put(task.id, task.principal.id)
        await anyio.wait_all_tasks_blocked()
        assert latch.most == 1
        latch.released.set()
        await rig.finished(task)
        await rig.idle()
        assert [event.kind for event in await rig.log(task)].count("letter") == 4
        assert rig.counted("completed") == (2 if when == "waiting" else 1)
        assert service.running == 0


async def test_a_task_that_is_queued_while_it_runs_is_cancelled_once() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        task = await rig.submit()
        await latch.entered.wait()
        rig.queue.put(task.id, task.principal.id)
        assert (await service.cancel(task)).state is State.CANCELLED
        await rig.idle()
        assert (await rig.statuses(task)).count("cancelled") == rig.counted("cancelled") == 1


# --- what this version does not know ----------------------------------------------------------------

FAILURE = Failure(code="X", message="why", retryable=True)
UNKNOWN: list[dict[str, Any]] = [
    {"kind": "a newer one", "stage": ""},
    {"kind": "a newer one", "stage": "draft"},
    {"stage": "a newer one"},
]
STATES: dict[State, dict[str, Any]] = {
    State.QUEUED: {},
    State.RUNNING: {},
    State.PAUSED: {"paused_until": now()},
    State.FAILED: {"failure": FAILURE},
    State.SUCCEEDED: {},
    State.CANCELLED: {},
}


def decide(checkpoints: Mapping[str, str]) -> StageUpdate:
    return StageUpdate()


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("unknown", UNKNOWN, ids=lambda fields: "-".join(fields))
async def test_rows_of_an_unknown_kind_or_stage_are_left_alone(unknown: dict[str, Any], state: State) -> None:
    await left_alone(new_task(**{"stage": "draft", "state": state, **STATES[state], **unknown}))


@pytest.mark.parametrize("stage", ["", "draft", "a newer one"])
async def test_rows_of_an_unknown_state_are_left_alone(stage: str) -> None:
    await left_alone(new_task(stage=stage, state=State.UNKNOWN))


async def left_alone(foreign: Task) -> None:
    store = FaultyStore()
    await store.inner.create(foreign, PROMPT, [])
    before = await Rig(store=store).task(foreign)
    rig = Rig(store=store)
    async with rig.running() as service:
        own = await rig.submit()
        assert (await rig.finished(own)).state is State.SUCCEEDED
        await service._recovery.sweep()
        for steer in (service.cancel, service.retry):
            with pytest.raises(UnknownKind, match="shown and left alone"):
                await steer(foreign)
        for ask in (service.approve, service.amend):
            with pytest.raises(UnknownKind):
                await ask(foreign, decide)
        rig.queue.put(foreign.id, foreign.principal.id)
        await rig.idle()
        await anyio.wait_all_tasks_blocked()
        assert (service.waiting, service.paused, service.running) == (0, 0, 0)
    assert await rig.task(foreign) == before
    assert rig.store.writes == 11
    assert [event.task_id for event in rig.hub.published if event.task_id != own.id] == []


async def test_a_task_of_an_unknown_kind_is_not_accepted() -> None:
    rig = Rig()
    async with rig.running():
        with pytest.raises(UnknownKind):
            await rig.submit(kind="a newer one")
        assert rig.store.writes == 0


# --- bugs -------------------------------------------------------------------------------------------


async def test_a_bug_around_one_task_leaves_the_service_alive() -> None:
    """Even the failure could not be stored: the sweeper takes the task up again, the others go on."""
    rig = Rig(concurrency=1)
    original = rig.executor.run
    broken = new_task()
    runs = 0

    async def run(task_log: TaskLog, owner: str) -> None:
        nonlocal runs
        if task_log.task.id == broken.id:
            runs += 1
            raise ZeroDivisionError
        await original(task_log, owner)

    rig.executor.run = run  # type: ignore[method-assign]
    async with rig.running() as service:
        with capture_logs() as logs:
            await service.submit(broken, PROMPT)
            assert (await rig.finished(await rig.submit())).state is State.SUCCEEDED
        assert [entry["event"] for entry in logs if entry.get("exc_info")]
        assert (await rig.task(broken)).status == "pending"
        assert await service._recovery.sweep() == 1
        while runs < 2:
            await anyio.sleep(0)
        await rig.idle()
        assert (await service.cancel(broken)).state is State.CANCELLED


# --- stopping and starting --------------------------------------------------------------------------


async def test_an_orderly_stop_releases_what_runs_and_the_next_process_continues() -> None:
    latch = Latch()
    store = FaultyStore()
    first = Rig(Spelling(x=latch), store, concurrency=1)
    async with first.running():
        running = await first.submit(attempts=2)
        waiting = await first.submit()
        await latch.entered.wait()
    assert latch.inside == 0
    released = await first.task(running)
    assert (released.state, released.stage, released.attempts) == (State.QUEUED, "check", 0)
    second = Rig(Spelling(), store)
    async with second.running():
        for task in (running, waiting):
            assert (await second.finished(task)).state is State.SUCCEEDED
    assert second.pipeline.started == {"w": 1, "x": 2, "y": 2, "z": 2}


async def test_what_a_killed_process_left_running_is_continued() -> None:
    store = FaultyStore()
    task = new_task(state=State.RUNNING, stage="check", attempts=1, sequence=0)
    await store.inner.create(task, PROMPT, [])
    await store.inner.commit(replace(task, version=1), checkpoints={"w": "w"})
    rig = Rig(store=store)
    async with rig.running():
        done = await rig.finished(task)
    assert (done.state, done.result["word"]) == (State.SUCCEEDED, "wxyz")
    assert "w" not in rig.pipeline.started


async def test_what_an_earlier_process_left_is_run_in_the_order_of_acceptance() -> None:
    store = FaultyStore()
    tasks = [new_task() for _ in range(5)]
    for task in tasks:
        await store.inner.create(task, PROMPT, [])
    started: list[str] = []
    rig = Rig(Spelling(), store, concurrency=1, waiting=1)
    original = rig.executor.run

    async def run(task_log: TaskLog, owner: str) -> None:
        started.append(task_log.task.id)
        await original(task_log, owner)

    rig.executor.run = run  # type: ignore[method-assign]
    async with rig.running():
        await rig.idle()
    assert started == [task.id for task in tasks]


async def test_a_task_accepted_in_the_last_moment_belongs_to_the_next_process() -> None:
    store = FaultyStore()
    first = Rig(store=store)
    accepted = []

    async def submit() -> None:
        accepted.append(await first.submit())

    async with anyio.create_task_group() as group:
        async with first.running() as service:
            store.gate = anyio.Event()
            group.start_soon(submit)
            await anyio.wait_all_tasks_blocked()
            service.stop_accepting()
        store.gate.set()
    second = Rig(store=store)
    async with second.running():
        assert (await second.finished(accepted[0])).state is State.SUCCEEDED


async def test_a_cancel_that_meets_the_stop_is_a_cancel() -> None:
    async def slow_to_leave(emit: Emit) -> None:
        entered.set()
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await leave.wait()

    entered, leave = anyio.Event(), anyio.Event()
    rig = Rig(Spelling(w=slow_to_leave))
    answers = []

    async def cancel() -> None:
        answers.append(await rig.service.cancel(task))

    async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
        await group.start(rig.service.run)
        task = await rig.submit()
        await entered.wait()
        outer.start_soon(cancel)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
        leave.set()
    assert [answer.state for answer in answers] == [State.CANCELLED]


async def test_the_caller_of_a_cancel_that_the_stop_overtakes_is_told_so() -> None:
    rig = Rig()
    rig.store.refuse(5)
    codes: list[str] = []

    async def cancel() -> None:
        try:
            await rig.service.cancel(task)
        except (ShuttingDown, StoreError) as error:
            codes.append(error.code)

    async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
        await group.start(rig.service.run)
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.store.before = None
        rig.store.refusals = 9
        outer.start_soon(cancel)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert codes == ["SHUTTING_DOWN"]
    assert not (await rig.task(task)).state.is_terminal


async def test_a_stop_in_an_outage_ends_in_time() -> None:
    rig = Rig()
    rig.store.refuse(5)
    async with rig.running():
        task = await rig.submit()
        await rig.store_refused.wait()
        rig.store.down = True
    rig.store.down = False
    assert not (await rig.task(task)).state.is_terminal


async def test_a_store_that_cannot_be_read_at_the_start_raises() -> None:
    rig = Rig()
    rig.store.down = True
    with pytest.raises(BaseException) as caught:
        async with rig.running():
            pass
    assert isinstance(caught.value, StoreError) or caught.group_contains(StoreError)
