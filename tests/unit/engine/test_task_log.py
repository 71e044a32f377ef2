from __future__ import annotations

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.task import Failure, IllegalTransition, Status
from gencode.engine.pipeline import StageUpdate
from gencode.engine.store import IdempotencyKey, TaskQuery
from gencode.engine.task_log import TaskLog
from tests.unit.engine.rig import FaultyStore, NoteHub, new_task


class Desk:
    """A journal of a stored task, and what it writes to."""

    def __init__(self) -> None:
        self.store = FaultyStore()
        self.hub = NoteHub()

    async def open(self, **fields: object) -> TaskLog:
        task = await TaskLog(new_task(**fields), self.store, self.hub).create(None)
        return TaskLog(task, self.store, self.hub)

    async def agrees(self, task_log: TaskLog) -> None:
        """The journal, the store and the hub tell one story, without a gap."""
        events = await self.store.inner.events(task_log.task.id)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert await self.store.inner.find(TaskQuery(id=task_log.task.id)) == [task_log.task]
        assert self.hub.told == events[1:]


async def test_a_new_task_has_its_status_as_first_event() -> None:
    scheduler = Desk()
    task = (await scheduler.open(result={"a": 1})).task
    (event,) = await scheduler.store.events(task.id)
    assert (event.id, event.kind, task.sequence) == (1, "status", 1)
    assert event.data["status"] == "pending"
    assert event.data["message"] == "accepted"
    assert event.data["at"].endswith("Z")
    assert event.data["a"] == 1


async def test_a_known_key_gives_the_first_task() -> None:
    scheduler = Desk()
    key = IdempotencyKey(client="c", value="k", digest="d")
    first = await TaskLog(new_task(), scheduler.store, scheduler.hub).create(key)
    assert await TaskLog(new_task(), scheduler.store, scheduler.hub).create(key) == first


async def test_an_advance_is_stored_before_it_is_told() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.gate = anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(task_log.advance, Status.GENERATING, "now")
        await anyio.wait_all_tasks_blocked()
        assert scheduler.hub.told == []
        assert task_log.task.status is Status.PENDING
        scheduler.store.gate.set()
    assert [event.data["status"] for event in scheduler.hub.told] == ["generating"]
    await scheduler.agrees(task_log)


async def test_an_illegal_step_writes_nothing() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    with pytest.raises(IllegalTransition):
        await task_log.advance(Status.COMPLETED, "too early")
    await scheduler.agrees(task_log)
    assert task_log.task.sequence == 1


async def test_a_failure_is_a_status_then_an_error() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    await task_log.advance(Status.FAILED, "why", Failure(code="X", message="why", retryable=True))
    status, error = scheduler.hub.told
    assert (status.kind, status.data["status"]) == ("status", "failed")
    assert error.kind == "error"
    assert error.data == {
        "status": "failed",
        "code": "X",
        "message": "why",
        "retryable": True,
        "stage": "pending",
    }
    assert scheduler.hub.over == [task_log.task.id]
    await scheduler.agrees(task_log)


async def test_what_is_sent_together_is_one_transaction() -> None:
    scheduler = Desk()
    task_log = await scheduler.open(attempts=3)
    writes = scheduler.store.writes
    await task_log.send(
        StageUpdate(keep={"one": "1"}),
        StageUpdate(kind="a", data={"x": 1}, result={"r": 1}),
        StageUpdate(kind="b", keep={"two": "2"}, result={"s": 2}),
    )
    assert scheduler.store.writes == writes + 1
    assert await scheduler.store.checkpoints(task_log.task.id) == {"one": "1", "two": "2"}
    assert [event.kind for event in scheduler.hub.told] == ["a", "b"]
    assert task_log.task.result == {"r": 1, "s": 2}
    assert task_log.task.attempts == 1
    await scheduler.agrees(task_log)


async def test_what_is_not_kept_is_no_progress() -> None:
    scheduler = Desk()
    task_log = await scheduler.open(attempts=3)
    await task_log.send(StageUpdate(kind="a"))
    assert task_log.task.attempts == 3


async def test_live_messages_are_told_and_never_stored() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    writes = scheduler.store.writes
    await task_log.send(StageUpdate(kind="delta", data={"text": "x"}, live=True))
    assert (scheduler.hub.lived, scheduler.hub.told, scheduler.store.writes) == ([{"text": "x"}], [], writes)


async def test_many_senders_make_one_order_without_gaps() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()

    async def chatter(name: str) -> None:
        for n in range(10):
            await task_log.send(StageUpdate(kind="said", data={"who": name, "n": n}, keep={f"{name}{n}": ""}))

    async with anyio.create_task_group() as tg:
        for name in "abcd":
            tg.start_soon(chatter, name)
    assert len(scheduler.hub.told) == 40
    for name in "abcd":
        assert [event.data["n"] for event in scheduler.hub.told if event.data["who"] == name] == list(
            range(10)
        )
    await scheduler.agrees(task_log)


async def test_a_write_under_way_is_finished_and_told_when_its_sender_is_cancelled() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.gate, scheduler.store.asked = anyio.Event(), anyio.Event()
    went_on = False

    async def send() -> None:
        nonlocal went_on
        await task_log.send(StageUpdate(kind="a", keep={"k": "v"}))
        await anyio.sleep(0)
        went_on = True

    async with anyio.create_task_group() as tg:
        tg.start_soon(send)
        await scheduler.store.asked.wait()
        tg.cancel_scope.cancel()
        scheduler.store.gate.set()
    assert not went_on
    assert [event.kind for event in scheduler.hub.told] == ["a"]
    await scheduler.agrees(task_log)


async def test_who_waits_for_a_turn_and_is_cancelled_writes_nothing() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.gate, scheduler.store.asked = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(task_log.send, StageUpdate(kind="first"))
        await scheduler.store.asked.wait()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await task_log.send(StageUpdate(kind="second"))
        scheduler.store.gate.set()
    assert [event.kind for event in scheduler.hub.told] == ["first"]
    await scheduler.agrees(task_log)


async def test_a_refused_write_changes_nothing_and_the_next_goes_on() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.refusals = 1
    with pytest.raises(StoreError):
        await task_log.send(StageUpdate(kind="lost", keep={"k": "v"}))
    await scheduler.agrees(task_log)
    await task_log.send(StageUpdate(kind="kept"))
    assert [event.kind for event in scheduler.hub.told] == ["kept"]
    await scheduler.agrees(task_log)


async def test_a_write_that_failed_but_happened_is_told_before_the_next() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.refusals, scheduler.store.lying = 1, True
    with pytest.raises(StoreError):
        await task_log.advance(Status.GENERATING, "now")
    await task_log.send(StageUpdate(kind="after"))
    assert [(event.id, event.kind) for event in scheduler.hub.told] == [(2, "status"), (3, "after")]
    assert task_log.task.status is Status.GENERATING
    await scheduler.agrees(task_log)


async def test_an_end_that_failed_but_happened_is_the_end() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.refusals, scheduler.store.lying = 1, True
    with pytest.raises(StoreError):
        await task_log.advance(Status.CANCELLED, "now")
    await task_log.reconcile()
    assert scheduler.hub.over == [task_log.task.id]
    with pytest.raises(IllegalTransition):
        await task_log.advance(Status.FAILED, "no")
    await scheduler.agrees(task_log)


async def test_while_the_store_cannot_be_asked_a_doubt_stays() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    scheduler.store.refusals = 1
    with pytest.raises(StoreError):
        await task_log.send(StageUpdate(kind="lost"))
    scheduler.store.down = True
    for _ in range(2):
        with pytest.raises(StoreError):
            await task_log.reconcile()
    scheduler.store.down = False
    await task_log.reconcile()
    await scheduler.agrees(task_log)


async def test_what_is_no_json_is_a_bug_of_its_sender_alone() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    with pytest.raises(TypeError):
        await task_log.send(StageUpdate(kind="a", data={"x": object()}))
    await task_log.send(StageUpdate(kind="b"))
    await scheduler.agrees(task_log)


async def test_starts_are_counted_and_a_resumed_one_is_told() -> None:
    scheduler = Desk()
    task_log = await scheduler.open()
    await task_log.start()
    assert (task_log.task.attempts, scheduler.hub.told) == (1, [])
    await task_log.advance(Status.GENERATING, "now")
    await task_log.start()
    assert task_log.task.attempts == 2
    assert (scheduler.hub.told[-1].kind, scheduler.hub.told[-1].data) == (
        "resumed",
        {"status": "generating", "attempt": 2},
    )
    await task_log.rest()
    assert task_log.task.attempts == 0
    await scheduler.agrees(task_log)
