from __future__ import annotations

import anyio
import pytest

from gencode.engine.journal import Journal
from gencode.errors import StoreError
from gencode.pipeline import Progress
from gencode.store import IdempotencyKey, Query
from gencode.task import Failure, IllegalTransition, Status
from tests.unit.engine.rig import FaultyStore, NoteHub, new_task


class Desk:
    """A journal of a stored task, and what it writes to."""

    def __init__(self) -> None:
        self.store = FaultyStore()
        self.hub = NoteHub()

    async def open(self, **fields: object) -> Journal:
        task = await Journal(new_task(**fields), self.store, self.hub).create(None)
        return Journal(task, self.store, self.hub)

    async def agrees(self, journal: Journal) -> None:
        """The journal, the store and the hub tell one story, without a gap."""
        events = await self.store.inner.events(journal.task.id)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert await self.store.inner.find(Query(id=journal.task.id)) == [journal.task]
        assert self.hub.told == events[1:]


async def test_a_new_task_has_its_status_as_first_event() -> None:
    desk = Desk()
    task = (await desk.open(result={"a": 1})).task
    (event,) = await desk.store.events(task.id)
    assert (event.id, event.kind, task.sequence) == (1, "status", 1)
    assert event.data["status"] == "pending"
    assert event.data["message"] == "accepted"
    assert event.data["at"].endswith("Z")
    assert event.data["a"] == 1


async def test_a_known_key_gives_the_first_task() -> None:
    desk = Desk()
    key = IdempotencyKey(client="c", value="k", digest="d")
    first = await Journal(new_task(), desk.store, desk.hub).create(key)
    assert await Journal(new_task(), desk.store, desk.hub).create(key) == first


async def test_an_advance_is_stored_before_it_is_told() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.gate = anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(journal.advance, Status.GENERATING, "now")
        await anyio.wait_all_tasks_blocked()
        assert desk.hub.told == []
        assert journal.task.status is Status.PENDING
        desk.store.gate.set()
    assert [event.data["status"] for event in desk.hub.told] == ["generating"]
    await desk.agrees(journal)


async def test_an_illegal_step_writes_nothing() -> None:
    desk = Desk()
    journal = await desk.open()
    with pytest.raises(IllegalTransition):
        await journal.advance(Status.COMPLETED, "too early")
    await desk.agrees(journal)
    assert journal.task.sequence == 1


async def test_a_failure_is_a_status_then_an_error() -> None:
    desk = Desk()
    journal = await desk.open()
    await journal.advance(Status.FAILED, "why", Failure(code="X", message="why", retryable=True))
    status, error = desk.hub.told
    assert (status.kind, status.data["status"]) == ("status", "failed")
    assert error.kind == "error"
    assert error.data == {
        "status": "failed",
        "code": "X",
        "message": "why",
        "retryable": True,
        "stage": "pending",
    }
    assert desk.hub.over == [journal.task.id]
    await desk.agrees(journal)


async def test_what_is_sent_together_is_one_transaction() -> None:
    desk = Desk()
    journal = await desk.open(attempts=3)
    writes = desk.store.writes
    await journal.send(
        Progress(keep={"one": "1"}),
        Progress(kind="a", data={"x": 1}, result={"r": 1}),
        Progress(kind="b", keep={"two": "2"}, result={"s": 2}),
    )
    assert desk.store.writes == writes + 1
    assert await desk.store.kept(journal.task.id) == {"one": "1", "two": "2"}
    assert [event.kind for event in desk.hub.told] == ["a", "b"]
    assert journal.task.result == {"r": 1, "s": 2}
    assert journal.task.attempts == 1
    await desk.agrees(journal)


async def test_what_is_not_kept_is_no_progress() -> None:
    desk = Desk()
    journal = await desk.open(attempts=3)
    await journal.send(Progress(kind="a"))
    assert journal.task.attempts == 3


async def test_live_messages_are_told_and_never_stored() -> None:
    desk = Desk()
    journal = await desk.open()
    writes = desk.store.writes
    await journal.send(Progress(kind="delta", data={"text": "x"}, live=True))
    assert (desk.hub.lived, desk.hub.told, desk.store.writes) == ([{"text": "x"}], [], writes)


async def test_many_senders_make_one_order_without_gaps() -> None:
    desk = Desk()
    journal = await desk.open()

    async def chatter(name: str) -> None:
        for n in range(10):
            await journal.send(Progress(kind="said", data={"who": name, "n": n}, keep={f"{name}{n}": ""}))

    async with anyio.create_task_group() as tg:
        for name in "abcd":
            tg.start_soon(chatter, name)
    assert len(desk.hub.told) == 40
    for name in "abcd":
        assert [event.data["n"] for event in desk.hub.told if event.data["who"] == name] == list(range(10))
    await desk.agrees(journal)


async def test_a_write_under_way_is_finished_and_told_when_its_sender_is_cancelled() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.gate, desk.store.asked = anyio.Event(), anyio.Event()
    went_on = False

    async def send() -> None:
        nonlocal went_on
        await journal.send(Progress(kind="a", keep={"k": "v"}))
        await anyio.sleep(0)
        went_on = True

    async with anyio.create_task_group() as tg:
        tg.start_soon(send)
        await desk.store.asked.wait()
        tg.cancel_scope.cancel()
        desk.store.gate.set()
    assert not went_on
    assert [event.kind for event in desk.hub.told] == ["a"]
    await desk.agrees(journal)


async def test_who_waits_for_a_turn_and_is_cancelled_writes_nothing() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.gate, desk.store.asked = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tg:
        tg.start_soon(journal.send, Progress(kind="first"))
        await desk.store.asked.wait()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await journal.send(Progress(kind="second"))
        desk.store.gate.set()
    assert [event.kind for event in desk.hub.told] == ["first"]
    await desk.agrees(journal)


async def test_a_refused_write_changes_nothing_and_the_next_goes_on() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.refusals = 1
    with pytest.raises(StoreError):
        await journal.send(Progress(kind="lost", keep={"k": "v"}))
    await desk.agrees(journal)
    await journal.send(Progress(kind="kept"))
    assert [event.kind for event in desk.hub.told] == ["kept"]
    await desk.agrees(journal)


async def test_a_write_that_failed_but_happened_is_told_before_the_next() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.refusals, desk.store.lying = 1, True
    with pytest.raises(StoreError):
        await journal.advance(Status.GENERATING, "now")
    await journal.send(Progress(kind="after"))
    assert [(event.id, event.kind) for event in desk.hub.told] == [(2, "status"), (3, "after")]
    assert journal.task.status is Status.GENERATING
    await desk.agrees(journal)


async def test_an_end_that_failed_but_happened_is_the_end() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.refusals, desk.store.lying = 1, True
    with pytest.raises(StoreError):
        await journal.advance(Status.CANCELLED, "now")
    await journal.settle()
    assert desk.hub.over == [journal.task.id]
    with pytest.raises(IllegalTransition):
        await journal.advance(Status.FAILED, "no")
    await desk.agrees(journal)


async def test_while_the_store_cannot_be_asked_a_doubt_stays() -> None:
    desk = Desk()
    journal = await desk.open()
    desk.store.refusals = 1
    with pytest.raises(StoreError):
        await journal.send(Progress(kind="lost"))
    desk.store.down = True
    for _ in range(2):
        with pytest.raises(StoreError):
            await journal.settle()
    desk.store.down = False
    await journal.settle()
    await desk.agrees(journal)


async def test_what_is_no_json_is_a_bug_of_its_sender_alone() -> None:
    desk = Desk()
    journal = await desk.open()
    with pytest.raises(TypeError):
        await journal.send(Progress(kind="a", data={"x": object()}))
    await journal.send(Progress(kind="b"))
    await desk.agrees(journal)


async def test_starts_are_counted_and_a_resumed_one_is_told() -> None:
    desk = Desk()
    journal = await desk.open()
    await journal.start()
    assert (journal.task.attempts, desk.hub.told) == (1, [])
    await journal.advance(Status.GENERATING, "now")
    await journal.start()
    assert journal.task.attempts == 2
    assert (desk.hub.told[-1].kind, desk.hub.told[-1].data) == (
        "resumed",
        {"status": "generating", "attempt": 2},
    )
    await journal.rest()
    assert journal.task.attempts == 0
    await desk.agrees(journal)
