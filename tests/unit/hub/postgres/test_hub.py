"""What the contract of hubs cannot see: what is announced, what is lost, and a store that is late."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event, encode, encode_delta
from gencode.domain.task import State
from gencode.engine.ports.store import TaskQuery
from gencode.hub import task_channel as channel_module
from gencode.hub.in_process import CLOSING_MESSAGE
from gencode.hub.postgres import hub as hub_module
from gencode.hub.postgres.hub import CONTROL, EVENTS, LIVE, MAX_TASKS, PostgresHub
from gencode.storage.memory import MemoryStore
from tests.contract.test_hub import GatedStore, Log, RecordingSink, at_least, settled, whole
from tests.servers.linked_hubs import HubPair, LinkedNotifications
from tests.unit.engine.rig import an_event, new_task


class Sent(LinkedNotifications):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[tuple[str, str, str | None]] = []

    def send(self, channel: str, payload: str, key: str | None = None) -> None:
        self.messages.append((channel, payload, key))

    send_droppable = send


def linked(store: MemoryStore) -> tuple[HubPair, LinkedNotifications]:
    """With the notifications of the process that has the subscribers."""
    pair = HubPair.linked(store)
    assert isinstance(pair.subscribing, PostgresHub)
    notifications = pair.subscribing._notifications
    assert isinstance(notifications, LinkedNotifications)
    return pair, notifications


async def begun(pair: HubPair, store: MemoryStore) -> Log:
    log = Log(hub=pair, store=store)
    await log.begin()
    return log


# --- what is announced ------------------------------------------------------------------------------


def test_the_newest_event_of_a_task_is_announced_and_never_an_older_one() -> None:
    sent, task = Sent(), new_task()
    hub = PostgresHub(MemoryStore(), sent)
    hub.publish([an_event(task, 1), an_event(task, 2)])
    hub.publish([an_event(task, 3)], is_final=True)
    hub.publish([an_event(task, 2)])
    hub.publish([an_event(task, 3)])
    hub.publish([an_event(task, 4)])
    assert [(channel, payload.split(" ")[1:3], key) for channel, payload, key in sent.messages] == [
        (EVENTS, numbers.split(), task.id) for numbers in ("2 0", "3 1", "3 1", "4 0")
    ]


def test_live_messages_carry_the_newest_event_and_long_ones_are_sent_in_parts() -> None:
    sent, task = Sent(), new_task()
    hub = PostgresHub(MemoryStore(), sent)
    hub.publish_live(task.id, {"n": 1})
    hub.publish([an_event(task, 7)])
    hub.publish_live(task.id, {"about": "a", "offset": 5, "text": "中" * 5000})
    first, _, *rest = (payload for _, payload, _ in sent.messages)
    assert first == f"{task.id} 0 {encode_delta({'n': 1}).decode()}"
    assert len(rest) > 1
    assert all(payload.startswith(f"{task.id} 7 ") and len(payload.encode()) < 7900 for payload in rest)
    assert "".join(json.loads(payload.partition("data: ")[2])["text"] for payload in rest) == "中" * 5000
    assert {channel for channel, _, _ in sent.messages} == {LIVE, EVENTS}


def test_what_is_remembered_of_published_tasks_is_bounded() -> None:
    hub = PostgresHub(MemoryStore(), LinkedNotifications())
    for n in range(MAX_TASKS + 10):
        hub.publish([Event(task_id=str(n), id=1, kind="status", data={})])
    assert len(hub._newest) == MAX_TASKS
    assert str(MAX_TASKS + 9) in hub._newest


def test_control_messages_reach_the_other_process_only() -> None:
    pair, _ = linked(MemoryStore())
    received = []
    assert isinstance(pair.publishing, PostgresHub)
    assert isinstance(pair.subscribing, PostgresHub)
    pair.publishing.on_control = pair.subscribing.on_control = lambda *command: received.append(command)
    pair.publishing.send_control("cancel", "t1")
    assert received == [("cancel", "t1")]
    sent = Sent()
    PostgresHub(MemoryStore(), sent).send_control("cancel", "t1")
    assert sent.messages == [(CONTROL, "cancel t1", None)]


def test_a_process_without_subscribers_receives_control_messages_only() -> None:
    notifications = LinkedNotifications()
    PostgresHub(MemoryStore(), notifications, has_subscribers=False)
    assert notifications.handlers.keys() == {CONTROL}


# --- subscribers of another process -----------------------------------------------------------------


async def test_short_events_are_sent_and_others_are_read_once_for_all_subscribers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = GatedStore()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    readers = [asyncio.create_task(whole(log.read())) for _ in range(50)]
    await anyio.wait_all_tasks_blocked()
    await log.add(3)
    await log.add(2)
    await anyio.wait_all_tasks_blocked()
    assert store.reads == 1
    monkeypatch.setattr(hub_module, "MAX_MESSAGES", 200)  # six are longer
    for reads in (2, 3):
        await log.add(6)
        await anyio.wait_all_tasks_blocked()
        assert store.reads == reads
    await log.add(final=True)
    assert set(await asyncio.gather(*readers)) == {log.bytes()}
    assert store.reads == 3


async def test_an_event_is_delivered_once_whether_it_was_sent_or_read_first() -> None:
    """An announcement can overtake the store's answer, come twice, or overlap with what is known."""
    store = GatedStore()
    pair, notifications = linked(store)
    log = await begun(pair, store)
    await log.add(2)
    store.gate = anyio.Event()
    reader = asyncio.create_task(whole(log.read()))
    await settled()
    await log.add()
    for newest, first in ((3, 2), (3, 3), (2, 1)):
        text = b"".join(encode(an_event(log.task, n, n=n)) for n in range(first, newest + 1)).decode()
        notifications.handlers[EVENTS](f"{log.task.id} {newest} 0 {text}")
    store.gate.set()
    await settled()
    text = b"".join(encode(an_event(log.task, n, n=n)) for n in range(2, 5)).decode()
    await log.store_only()
    notifications.handlers[EVENTS](f"{log.task.id} 4 0 {text}")
    await log.add(final=True)
    assert await reader == log.bytes()


async def test_an_announcement_for_nobody_reads_nothing() -> None:
    store = GatedStore()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    await settled()
    assert store.reads == 0


async def test_live_messages_are_written_to_attached_sinks_of_another_process() -> None:
    store = MemoryStore()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read(live=True)) as listening, aclosing(log.read()) as plain:
        sinks, attached = [RecordingSink(limit=9), RecordingSink(limit=9)], []
        for stream, sink in zip((listening, plain), sinks, strict=True):
            await anext(stream)
            attached.append(asyncio.create_task(stream.attach(sink)))
        await settled()
        for n in range(3):
            pair.publish_live(log.task.id, {"n": n})
        assert [sink.taken for sink in sinks] == [[encode_delta({"n": n}) for n in range(3)], []]
        await log.add(final=True)
        pair.publish_live(log.task.id, {"n": 3})
        await asyncio.gather(*attached)
        assert [sink.taken[-1] for sink in sinks] == [log.bytes(after=1)] * 2
        assert await whole(listening) == encode_delta({"n": 3})
        assert await whole(plain) == b""


async def test_a_live_message_that_comes_before_the_announcement_of_its_event_waits_for_the_event() -> None:
    store = MemoryStore()
    pair, notifications = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read(live=True)) as stream:
        await anext(stream)
        sink = RecordingSink(limit=9)
        attached = asyncio.create_task(stream.attach(sink))
        await settled()
        await log.store_only(2)
        for newest, n in ((3, 1), (2, 2)):
            notifications.handlers[LIVE](f"{log.task.id} {newest} {encode_delta({'n': n}).decode()}")
        await attached
        expected = log.bytes(after=1) + encode_delta({"n": 1}) + encode_delta({"n": 2})
        assert await at_least(stream, len(expected)) == expected
    assert sink.taken == []


async def test_a_live_message_that_is_late_is_delivered_after_the_events_that_overtook_it() -> None:
    store = MemoryStore()
    pair, notifications = linked(store)
    log = await begun(pair, store)
    await log.add(3)
    async with aclosing(log.read(live=True)) as stream:
        assert await anext(stream) == log.bytes()
        notifications.handlers[LIVE](f"{log.task.id} 2 {encode_delta({'n': 1}).decode()}")
        assert await anext(stream) == encode_delta({"n": 1})


async def test_a_subscriber_that_joins_between_commit_and_announcement_gets_each_event_once() -> None:
    store = MemoryStore()
    pair, _ = linked(store)
    log = await begun(pair, store)
    events = await log.store_only(2)
    async with aclosing(log.read()) as stream:
        assert await anext(stream) == log.bytes()
        log.hub.publish(events)
        await log.add(final=True)
        assert await whole(stream) == log.bytes(after=2)


async def test_a_retried_task_goes_on_in_another_process_although_both_announcements_come_late() -> None:
    store = MemoryStore()
    pair, notifications = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream:
        await anext(stream)
        await log.store_only(final=True)
        log.task = replace(log.task, state=State.RUNNING)
        await log.store_only()
        for text in ("3 0", "2 1"):
            notifications.handlers[EVENTS](f"{log.task.id} {text} ")
        assert await anext(stream) == log.bytes(after=1)
        await log.add(final=True)
        assert await whole(stream) == log.bytes(after=3)


# --- what no notification tells ---------------------------------------------------------------------


async def test_what_was_missed_while_not_listening_is_read_afterwards() -> None:
    store = GatedStore()
    pair, notifications = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream, anyio.create_task_group() as group:
        group.start_soon(pair.subscribing.run)  # type: ignore[attr-defined]  # of PostgresHub
        await anext(stream)
        missed = asyncio.ensure_future(anext(stream))
        await settled()
        notifications.is_listening = False
        await log.add(2)
        await settled()
        assert not missed.done()
        notifications.is_listening = True
        notifications.on_change()
        assert await missed == log.bytes(after=1)
        notifications.is_listening = False
        await log.add(final=True)
        notifications.is_listening = True
        notifications.on_change()
        assert await whole(stream) == log.bytes(after=3)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("name", ["POLL_SECONDS", "CHECK_SECONDS"])
async def test_the_store_is_looked_at_periodically(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Often without notifications; with them rarely, for a process that was killed after a commit."""
    monkeypatch.setattr(hub_module, name, 0.01)
    store = MemoryStore()
    pair, notifications = linked(store)
    notifications.is_listening = name == "CHECK_SECONDS"
    log = await begun(pair, store)
    async with aclosing(log.read()) as stream, anyio.create_task_group() as group:
        group.start_soon(pair.subscribing.run)  # type: ignore[attr-defined]  # of PostgresHub
        for final in (False, True):
            missed = asyncio.ensure_future(anext(stream))
            await settled()
            await log.store_only(final=final)
            assert await missed == log.bytes(after=log.task.sequence - 1)
        assert await whole(stream) == b""
        group.cancel_scope.cancel()


async def test_a_look_at_the_store_that_fails_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "POLL_SECONDS", 0.01)

    class Failing(MemoryStore):
        failures = 3

        async def find(self, query: TaskQuery) -> Any:
            if is_polling and self.failures:
                self.failures -= 1
                raise StoreError("the server is away")
            return await super().find(query)

    store, is_polling = Failing(), False
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream, anyio.create_task_group() as group:
        await anext(stream)
        missed = asyncio.ensure_future(anext(stream))
        await settled()
        await log.store_only()
        is_polling = True
        group.start_soon(pair.subscribing.run)  # type: ignore[attr-defined]  # of PostgresHub
        assert await missed == log.bytes(after=1)
        assert not store.failures
        group.cancel_scope.cancel()


# --- a store that is late or away -------------------------------------------------------------------


class Replica(MemoryStore):
    """Shows the newest event, or anything at all, only at a later read."""

    def __init__(self) -> None:
        super().__init__()
        self.late_reads = 0
        self.failures = 0

    async def event_page(self, task_id: str, after: int = 0) -> tuple[list[Event], bool]:
        if self.failures:
            self.failures -= 1
            raise StoreError("the server is away")
        events, is_last = await super().event_page(task_id, after)
        if self.late_reads:
            self.late_reads -= 1
            return events[:-1], is_last
        return events, is_last


@pytest.mark.usefixtures("events_are_long")
@pytest.mark.parametrize("fault", ["late_reads", "failures"])
async def test_a_store_that_is_late_or_away_does_not_end_the_stream(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "STORE_INTERVAL", 0)
    store = Replica()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream:
        await anext(stream)
        setattr(store, fault, 3)
        await log.add(2)
        assert await anext(stream) == log.bytes(after=1)
        assert getattr(store, fault) == 0


@pytest.mark.usefixtures("events_are_long")
async def test_a_store_that_stays_away_ends_the_stream_so_that_the_client_reconnects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "STORE_TIMEOUT", 0.0)
    store = Replica()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream:
        await anext(stream)
        store.failures = 100
        await log.add()
        assert await whole(stream) == CLOSING_MESSAGE


@pytest.mark.usefixtures("events_are_long")
async def test_closing_does_not_wait_for_a_store_that_is_away() -> None:
    store = Replica()
    pair, _ = linked(store)
    log = await begun(pair, store)
    await log.add()
    async with aclosing(log.read()) as stream:
        await anext(stream)
        store.failures = 10**9
        await log.add()
        rest = asyncio.create_task(whole(stream))
        await settled()
        pair.close()
        assert await rest == CLOSING_MESSAGE
