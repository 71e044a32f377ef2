from __future__ import annotations

from typing import Any

import anyio
import pytest

from gencode.domain.errors import Conflict, OutcomeUnknown, StoreError
from gencode.domain.task import Failure, IllegalTransition, State
from gencode.engine.ports.pipeline import Pause, StageUpdate
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.engine.task_log import TaskLog
from tests.unit.engine.rig import FaultyStore, RecordingHub, new_task


class Fixture:
    """A store and a hub, for the log of one task."""

    def __init__(self) -> None:
        self.store = FaultyStore()
        self.hub = RecordingHub()

    async def open(self, **fields: Any) -> TaskLog:
        task = await TaskLog(new_task(**fields), self.store, self.hub).create({"prompt": "a word"}, None)
        return TaskLog(task, self.store, self.hub)

    async def started(self, **fields: Any) -> TaskLog:
        """Of a task that runs, in the stage "draft"."""
        return await self.open(state=State.RUNNING, stage="draft", **fields)

    async def agrees(self, task_log: TaskLog) -> None:
        """The log, the store and the hub have the same, without a gap."""
        events = await self.store.inner.events(task_log.task.id)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert await self.store.inner.find(TaskQuery(id=task_log.task.id)) == [task_log.task]
        assert self.hub.published == events[1:]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.hub.published]


async def test_a_new_task_has_its_status_as_first_event() -> None:
    fixture = Fixture()
    task = (await fixture.open(result={"a": 1})).task
    (event,) = await fixture.store.events(task.id)
    assert (event.id, event.kind, task.sequence) == (1, "status", 1)
    assert event.data["status"] == "pending"
    assert event.data["message"] == "accepted"
    assert event.data["at"].endswith("Z")
    assert event.data["a"] == 1
    assert await fixture.store.request(task.id) == {"prompt": "a word"}


async def test_a_taken_key_returns_the_task_that_it_named_first() -> None:
    fixture = Fixture()
    key = IdempotencyKey(principal="c", value="k", digest="d")
    first = await TaskLog(new_task(), fixture.store, fixture.hub).create({}, key)
    assert await TaskLog(new_task(), fixture.store, fixture.hub).create({}, key) == first


async def test_a_transition_is_stored_before_it_is_published() -> None:
    fixture = Fixture()
    task_log = await fixture.open()
    await task_log.start()
    fixture.store.gate = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(task_log.enter, "draft", "now")
        await anyio.wait_all_tasks_blocked()
        assert fixture.hub.published == []
        assert task_log.task.stage == ""
        fixture.store.gate.set()
    assert [event.data["status"] for event in fixture.hub.published] == ["draft"]
    await fixture.agrees(task_log)


async def test_the_states_and_stages_of_a_whole_life() -> None:
    """Stage by stage, with a pause, a failure, a retry and an orderly stop."""
    fixture = Fixture()
    task_log = await fixture.open()
    seen = []

    async def step(write: object) -> None:
        await write  # type: ignore[misc]
        seen.append((task_log.task.state.value, task_log.task.stage, task_log.task.status))
        await fixture.agrees(task_log)

    await step(task_log.start())
    await step(task_log.enter("draft", "m"))
    await step(task_log.pause(Pause(message="may I?", seconds=60)))
    await step(task_log.amend(StageUpdate(kind="plan")))
    await step(task_log.approve(StageUpdate(), "m"))
    await step(task_log.start())
    await step(task_log.enter("check", "m"))
    await step(task_log.fail(Failure(code="X", message="why", retryable=True)))
    await step(task_log.retry("m", {}))
    await step(task_log.start())
    await step(task_log.release())
    await step(task_log.start())
    await step(task_log.succeed("m"))
    assert seen == [
        ("running", "", "pending"),
        ("running", "draft", "draft"),
        ("paused", "draft", "draft"),
        ("paused", "draft", "draft"),
        ("queued", "draft", "draft"),
        ("running", "draft", "draft"),
        ("running", "check", "check"),
        ("failed", "check", "failed"),
        ("queued", "check", "check"),
        ("running", "check", "check"),
        ("queued", "check", "check"),
        ("running", "check", "check"),
        ("succeeded", "check", "completed"),
    ]
    assert fixture.kinds == [
        "status",
        "approval",
        "plan",
        "approved",
        "resumed",
        "status",
        "status",
        "error",
        "status",
        "resumed",
        "resumed",
        "status",
    ]


async def test_an_illegal_transition_writes_nothing() -> None:
    fixture = Fixture()
    task_log = await fixture.open()
    with pytest.raises(IllegalTransition):
        await task_log.succeed("too early")
    await fixture.agrees(task_log)
    assert task_log.task.sequence == 1


@pytest.mark.parametrize("stage", ["", "draft"])
async def test_a_failure_is_a_status_event_then_an_error_event(stage: str) -> None:
    fixture = Fixture()
    task_log = await fixture.open(state=State.RUNNING, stage=stage)
    why = Failure(code="X", message="why", retryable=True, retry_helps="now", retry_fields=("deliver",))
    await task_log.fail(why)
    status, error = fixture.hub.published
    assert (status.kind, status.data["status"]) == ("status", "failed")
    assert error.kind == "error"
    assert error.data == {
        "status": "failed",
        "code": "X",
        "message": "why",
        "retryable": True,
        "stage": stage or "pending",
        "retry_helps": "now",
        "retry_fields": ["deliver"],
    }
    assert fixture.hub.final == [task_log.task.id]
    await fixture.agrees(task_log)


async def test_updates_emitted_in_one_call_are_one_transaction() -> None:
    fixture = Fixture()
    task_log = await fixture.started(attempts=3)
    writes = fixture.store.writes
    await task_log.emit(
        StageUpdate(checkpoints={"one": "1"}),
        StageUpdate(kind="a", data={"x": 1}, result={"r": 1}, cache_key="k1"),
        StageUpdate(kind="b", checkpoints={"two": "2"}, result={"s": 2}),
    )
    assert fixture.store.writes == writes + 1
    assert await fixture.store.checkpoints(task_log.task.id) == {"one": "1", "two": "2"}
    assert fixture.kinds == ["a", "b"]
    assert task_log.task.result == {"r": 1, "s": 2}
    assert (task_log.task.attempts, task_log.task.cache_key) == (1, "k1")
    await fixture.agrees(task_log)


async def test_an_update_without_a_checkpoint_is_no_progress() -> None:
    fixture = Fixture()
    task_log = await fixture.started(attempts=3)
    await task_log.emit(StageUpdate(kind="a"))
    assert task_log.task.attempts == 3


async def test_live_messages_are_published_and_never_stored() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    writes = fixture.store.writes
    await task_log.emit(StageUpdate(kind="delta", data={"text": "x"}, live=True))
    assert (fixture.hub.live, fixture.hub.published, fixture.store.writes) == ([{"text": "x"}], [], writes)


async def test_concurrent_emitters_get_one_order_without_gaps() -> None:
    fixture = Fixture()
    task_log = await fixture.started()

    async def chatter(name: str) -> None:
        for n in range(10):
            checkpoints = {f"{name}{n}": ""}
            await task_log.emit(
                StageUpdate(kind="message", data={"who": name, "n": n}, checkpoints=checkpoints)
            )

    async with anyio.create_task_group() as group:
        for name in "abcd":
            group.start_soon(chatter, name)
    published = [(event.data["who"], event.data["n"]) for event in fixture.hub.published]
    assert len(published) == 40
    for name in "abcd":
        assert [n for who, n in published if who == name] == list(range(10))
    await fixture.agrees(task_log)


async def test_a_write_under_way_is_finished_and_published_when_its_caller_is_cancelled() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.gate, fixture.store.asked = anyio.Event(), anyio.Event()
    went_on = False

    async def emit() -> None:
        nonlocal went_on
        await task_log.emit(StageUpdate(kind="a", checkpoints={"k": "v"}))
        await anyio.sleep(0)
        went_on = True

    async with anyio.create_task_group() as group:
        group.start_soon(emit)
        await fixture.store.asked.wait()
        group.cancel_scope.cancel()
        fixture.store.gate.set()
    assert not went_on
    assert fixture.kinds == ["a"]
    await fixture.agrees(task_log)


async def test_what_a_stage_emits_is_stored_although_its_run_is_cancelled_before_its_turn() -> None:
    """A model call is paid for: its answer, or its charge, is stored."""
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.gate, fixture.store.asked = anyio.Event(), anyio.Event()
    scope = anyio.CancelScope()

    async def cancelled() -> None:
        with scope:
            await task_log.emit(StageUpdate(kind="second"))

    async with anyio.create_task_group() as group:
        group.start_soon(task_log.emit, StageUpdate(kind="first"))
        await fixture.store.asked.wait()
        group.start_soon(cancelled)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        fixture.store.gate.set()
    assert fixture.kinds == ["first", "second"]
    await fixture.agrees(task_log)


@pytest.mark.parametrize(("is_progress", "attempts"), [(True, 1), (False, 3)])
async def test_only_progress_lets_the_count_of_attempts_begin_again(is_progress: bool, attempts: int) -> None:
    fixture = Fixture()
    task_log = await fixture.open(state=State.RUNNING, stage="draft", attempts=3)
    await task_log.emit(StageUpdate(checkpoints={"k": "v"}, is_progress=is_progress))
    assert task_log.task.attempts == attempts


async def test_a_refused_write_changes_nothing_and_the_next_goes_on() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.refusals = 1
    with pytest.raises(StoreError):
        await task_log.emit(StageUpdate(kind="lost", checkpoints={"k": "v"}))
    await fixture.agrees(task_log)
    await task_log.emit(StageUpdate(kind="stored"))
    assert fixture.kinds == ["stored"]
    await fixture.agrees(task_log)


@pytest.mark.parametrize("outcome", ["stored", "lost"])
async def test_a_write_of_unknown_outcome_is_read_back_before_the_next(outcome: str) -> None:
    fixture = Fixture()
    task_log = await fixture.open()
    await task_log.start()
    fixture.store.refusals, fixture.store.outcome = 1, outcome  # type: ignore[assignment]
    with pytest.raises(OutcomeUnknown):
        await task_log.enter("draft", "now")
    await task_log.emit(StageUpdate(kind="after"))
    expected = [(2, "status"), (3, "after")] if outcome == "stored" else [(2, "after")]
    assert [(event.id, event.kind) for event in fixture.hub.published] == expected
    assert task_log.task.stage == ("draft" if outcome == "stored" else "")
    await fixture.agrees(task_log)


async def test_an_end_that_was_stored_without_confirmation_is_the_end() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.refusals, fixture.store.outcome = 1, "stored"
    with pytest.raises(StoreError):
        await task_log.cancel("now")
    await task_log.reconcile()
    assert fixture.hub.final == [task_log.task.id]
    with pytest.raises(IllegalTransition):
        await task_log.fail(Failure(code="X", message="why", retryable=False))
    await fixture.agrees(task_log)


async def test_while_the_store_cannot_be_read_the_outcome_stays_unknown() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.refusals = 1
    with pytest.raises(StoreError):
        await task_log.emit(StageUpdate(kind="lost"))
    fixture.store.down = True
    for _ in range(2):
        with pytest.raises(StoreError):
            await task_log.reconcile()
    fixture.store.down = False
    await task_log.reconcile()
    await fixture.agrees(task_log)


async def test_data_that_is_not_json_is_a_bug_of_its_emitter_alone() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    with pytest.raises(TypeError):
        await task_log.emit(StageUpdate(kind="a", data={"x": object()}))
    await task_log.emit(StageUpdate(kind="b"))
    await fixture.agrees(task_log)


async def test_starts_are_counted_and_a_resumed_run_has_an_event() -> None:
    fixture = Fixture()
    task_log = await fixture.open()
    await task_log.start()
    assert (task_log.task.attempts, fixture.hub.published) == (1, [])
    await task_log.enter("draft", "now")
    await task_log.start()
    assert task_log.task.attempts == 2
    resumed = fixture.hub.published[-1]
    assert (resumed.kind, resumed.data) == ("resumed", {"status": "draft", "attempt": 2})
    await task_log.release()
    assert (task_log.task.attempts, task_log.task.state) == (0, State.QUEUED)
    await fixture.agrees(task_log)


# --- a change to a paused task ----------------------------------------------------------------------


async def test_an_amendment_is_no_run_and_may_have_no_event() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    await task_log.pause(Pause(message="may I?", seconds=60))
    await task_log.amend(StageUpdate(checkpoints={"plan": "new"}))
    assert (task_log.task.state, task_log.task.attempts, fixture.kinds) == (State.PAUSED, 0, ["approval"])
    await fixture.agrees(task_log)


# --- a second writer --------------------------------------------------------------------------------


async def second_writer(fixture: Fixture, task_log: TaskLog) -> TaskLog:
    (stored,) = await fixture.store.find(TaskQuery(id=task_log.task.id))
    return TaskLog(stored, fixture.store, RecordingHub())


async def test_the_slower_of_two_writers_gets_a_conflict_and_writes_nothing() -> None:
    fixture = Fixture()
    task_log = await fixture.started()
    other = await second_writer(fixture, task_log)
    await other.emit(StageUpdate(kind="other"))
    with pytest.raises(Conflict):
        await task_log.emit(StageUpdate(kind="mine", checkpoints={"k": "v"}))
    assert await fixture.store.checkpoints(task_log.task.id) == {}
    assert await fixture.store.find(TaskQuery(id=task_log.task.id)) == [other.task]


async def test_after_a_conflict_a_log_never_writes_again() -> None:
    """A stage may swallow the first error; the other writer's work is not to be overwritten then either."""
    fixture = Fixture()
    task_log = await fixture.started()
    other = await second_writer(fixture, task_log)
    await other.emit(StageUpdate(kind="other"))
    for _ in range(3):
        with pytest.raises(Conflict):
            await task_log.emit(StageUpdate(kind="mine"))
    with pytest.raises(Conflict):
        await task_log.reconcile()
    assert await fixture.store.find(TaskQuery(id=task_log.task.id)) == [other.task]


@pytest.mark.parametrize("outcome", ["refused", "stored", "lost"])
async def test_a_second_writer_after_a_failed_write_is_noticed(outcome: str) -> None:
    """Reading back must not take the other's write for the own one and go on."""
    fixture = Fixture()
    task_log = await fixture.started()
    fixture.store.refusals, fixture.store.outcome = 1, outcome  # type: ignore[assignment]
    with pytest.raises(StoreError):
        await task_log.emit(StageUpdate(kind="mine"))
    other = await second_writer(fixture, task_log)
    await other.cancel("by another process")
    with pytest.raises(Conflict):
        await task_log.emit(StageUpdate(kind="mine"))
    assert await fixture.store.find(TaskQuery(id=task_log.task.id)) == [other.task]


async def test_a_run_that_the_store_interrupted_is_the_first_again() -> None:
    fixture = Fixture()
    task_log = await fixture.started(attempts=4)
    task_log.reset_attempts()
    await task_log.start()
    assert task_log.task.attempts == 1
    await fixture.agrees(task_log)
