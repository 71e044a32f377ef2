"""The contract of `gencode.engine.ports.hub.Hub`, for each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from gencode.domain.event import Event, encode, encode_delta
from gencode.domain.task import State, Task
from gencode.engine.ports.hub import Hub, Subscription
from gencode.engine.ports.store import Store
from gencode.hub.in_process import InProcessHub
from gencode.hub.postgres.hub import PostgresHub
from gencode.storage.memory import MemoryStore
from tests.servers.linked_hubs import HubPair, LinkedNotifications
from tests.unit.engine.rig import an_event, new_task

Make = Callable[[Store], Hub]


def alone(store: Store) -> Hub:
    """A process without others."""
    return PostgresHub(store, LinkedNotifications())


def two_processes(store: Store) -> Hub:
    """One publishes, the other has the subscribers."""
    return HubPair.linked(store)


def two_processes_that_read(store: Store) -> Hub:
    """Some events are too long to be sent from one to the other."""
    return HubPair.linked(store, max_text=100)


HUBS: list[Make] = [InProcessHub, alone, two_processes]


@pytest.fixture(params=HUBS, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    """A hub over a store."""
    kind: Make = request.param
    return kind


class GatedStore(MemoryStore):
    """Reads of a log wait for `gate`; `reads` counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()
        self.gate.set()
        self.reads = 0

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        found = await super().events(task_id, after)
        self.reads += 1
        await self.gate.wait()
        return found


@dataclass
class Log:
    """A running task: commits to the store, then publishes to the hub, as the engine does."""

    hub: Hub
    store: Store
    task: Task = field(default_factory=partial(new_task, state=State.RUNNING, stage="draft"))

    async def begin(self) -> None:
        await self.store.create(self.task, {}, [])

    async def store_only(self, count: int = 1, final: bool = False) -> list[Event]:
        first = self.task.sequence + 1
        events = [an_event(self.task, id_, n=id_) for id_ in range(first, first + count)]
        state = State.FAILED if final else self.task.state
        sequence, version = self.task.sequence + count, self.task.version + 1
        self.task = replace(self.task, sequence=sequence, version=version, state=state)
        await self.store.commit(self.task, events)
        return events

    async def add(self, count: int = 1, final: bool = False) -> None:
        self.hub.publish(await self.store_only(count, final), final)

    def read(self, after: int = 0, live: bool = False) -> Subscription:
        return self.hub.subscribe(self.task.id, after, live)

    def bytes(self, after: int = 0) -> bytes:
        return b"".join(encode(an_event(self.task, n, n=n)) for n in range(after + 1, self.task.sequence + 1))


async def begun(make: Make, store: Store | None = None) -> Log:
    store = store or MemoryStore()
    log = Log(hub=make(store), store=store)
    await log.begin()
    return log


async def whole(stream: Subscription) -> bytes:
    async with aclosing(stream):
        return b"".join([chunk async for chunk in stream])


async def settled() -> None:
    """Until everything that can go on has done so."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def at_least(stream: Subscription, size: int) -> bytes:
    """Read on until so many bytes have come."""
    read = b""
    while len(read) < size:
        read += await anext(stream)
    return read


# --- order and delivery -----------------------------------------------------------------------------


async def test_a_subscriber_gets_the_stored_events_then_the_new_ones_then_the_end(make: Make) -> None:
    log = await begun(make)
    await log.add(3)
    async with aclosing(log.read()) as stream:
        assert await at_least(stream, 1) == log.bytes()
        await log.add(2)
        assert await at_least(stream, 1) == log.bytes(after=3)
        await log.add(final=True)
        assert await whole(stream) == log.bytes(after=5)


@pytest.mark.parametrize("after", range(5))
async def test_a_subscriber_that_resumes_gets_exactly_what_follows(make: Make, after: int) -> None:
    log = await begun(make)
    await log.add(2)
    async with aclosing(log.read()) as other:
        await anext(other)
        await log.add(2, final=True)
        assert await whole(log.read(after)) == log.bytes(after)
    assert await whole(log.read(after)) == log.bytes(after)


async def test_events_published_while_the_store_is_being_read_are_delivered_once_and_in_order(
    make: Make,
) -> None:
    store = GatedStore()
    log = await begun(make, store)
    await log.add(2)
    store.gate = anyio.Event()
    reader = asyncio.create_task(whole(log.read()))
    await settled()
    assert store.reads == 1
    await log.add(2)
    await log.add(final=True)
    store.gate.set()
    assert await reader == log.bytes()


async def test_a_task_that_ends_while_the_store_is_being_read_ends_the_stream(make: Make) -> None:
    store = GatedStore()
    log = await begun(make, store)
    store.gate = anyio.Event()
    readers = [asyncio.create_task(whole(log.read(after=0, live=live))) for live in (False, True)]
    await settled()
    await log.add(final=True)
    store.gate.set()
    assert await asyncio.gather(*readers) == [log.bytes()] * 2


async def test_an_event_that_was_stored_but_never_published_is_delivered_in_its_place(make: Make) -> None:
    """A commit can raise although it was stored."""
    log = await begun(make)
    await log.add(2)
    async with aclosing(log.read()) as stream:
        assert await anext(stream) == log.bytes()
        await log.store_only()
        await log.add()
        assert await at_least(stream, len(log.bytes(after=2))) == log.bytes(after=2)
        await log.store_only()
        await log.add(final=True)
        assert await whole(stream) == log.bytes(after=4)


async def test_subscribers_of_different_speeds_get_the_same(make: Make) -> None:
    log = await begun(make)
    async with aclosing(log.read()) as slow, aclosing(log.read()) as fast:
        pending = asyncio.ensure_future(anext(slow))
        seen = b""
        for _ in range(50):
            await log.add(40)
            seen += await at_least(fast, len(log.bytes(log.task.sequence - 40)))
        await log.add(final=True)
        assert seen + await whole(fast) == log.bytes()
        assert await pending + await whole(slow) == log.bytes()


async def test_many_subscribers_share_one_read_of_the_store(make: Make) -> None:
    store = GatedStore()
    log = await begun(make, store)
    await log.add(5)
    readers = [asyncio.create_task(whole(log.read())) for _ in range(100)]
    await settled()
    await log.add(final=True)
    assert set(await asyncio.gather(*readers)) == {log.bytes()}
    assert store.reads == 1


async def test_a_subscriber_gets_events_of_its_own_task_only(make: Make) -> None:
    store = MemoryStore()
    hub = make(store)
    logs = [Log(hub=hub, store=store) for _ in range(2)]
    for log in logs:
        await log.begin()
    readers = [asyncio.create_task(whole(log.read())) for log in logs]
    await settled()
    for log in logs:
        await log.add(2)
    for log in logs:
        await log.add(final=True)
    assert await asyncio.gather(*readers) == [log.bytes() for log in logs]


# --- unsubscribing ----------------------------------------------------------------------------------


async def test_unsubscribing_affects_no_other_subscriber(make: Make) -> None:
    log = await begun(make)
    await log.add()
    async with aclosing(log.read()) as stays:
        await anext(stays)
        async with aclosing(log.read()) as leaves:
            await anext(leaves)
        waiting = asyncio.create_task(whole(log.read()))
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await log.add(final=True)
        assert await whole(stays) == log.bytes(after=1)
    assert await whole(log.read()) == log.bytes()


async def test_the_subscriber_that_reads_the_store_for_all_may_unsubscribe(make: Make) -> None:
    store = GatedStore()
    log = await begun(make, store)
    await log.add()
    store.gate = anyio.Event()
    first, second = (asyncio.create_task(whole(log.read())) for _ in range(2))
    await settled()
    first.cancel()
    await asyncio.wait([first])
    store.gate.set()
    await log.add(final=True)
    assert await second == log.bytes()


# --- live messages ----------------------------------------------------------------------------------


async def test_live_messages_come_between_the_events_as_they_were_published(make: Make) -> None:
    log = await begun(make)
    await log.add()
    messages = [encode_delta({"n": n}) for n in range(4)]
    async with aclosing(log.read(live=True)) as stream, aclosing(log.read()) as plain:
        await anext(stream)
        await anext(plain)
        log.hub.publish_live(log.task.id, {"n": 0})
        log.hub.publish_live(log.task.id, {"n": 1})
        await log.add()
        log.hub.publish_live(log.task.id, {"n": 2})
        await log.add(final=True)
        log.hub.publish_live(log.task.id, {"n": 3})
        second, third = (encode(an_event(log.task, n, n=n)) for n in (2, 3))
        assert await whole(stream) == b"".join(
            [messages[0], messages[1], second, messages[2], third, messages[3]]
        )
        assert await whole(plain) == second + third


async def test_live_messages_are_not_held_for_later_subscribers(make: Make) -> None:
    log = await begun(make)
    log.hub.publish_live(log.task.id, {"n": 0})
    async with aclosing(log.read(live=True)) as early:
        pending = asyncio.ensure_future(anext(early))
        await settled()
        log.hub.publish_live(log.task.id, {"n": 1})
        assert await pending == encode_delta({"n": 1})
        late = asyncio.create_task(whole(log.read(live=True)))
        await settled()
        await log.add(final=True)
        assert await late == log.bytes()


async def test_live_messages_do_not_pile_up(make: Make) -> None:
    """A slow subscriber loses the oldest of them, and no event."""
    log = await begun(make)
    await log.add()
    async with aclosing(log.read(live=True)) as slow:
        await anext(slow)
        for n in range(20_000):
            log.hub.publish_live(log.task.id, {"n": n})
        await log.add(final=True)
        read = await whole(slow)
    assert read.endswith(encode_delta({"n": 19_999}) + log.bytes(after=1))
    assert read.count(b"event: delta") < 10_000


# --- closing ----------------------------------------------------------------------------------------


async def test_closing_sends_the_rest_of_the_log_then_a_closing_message(make: Make) -> None:
    log = await begun(make)
    await log.add()
    async with aclosing(log.read()) as reading, aclosing(log.read()) as slow:
        first = await anext(slow)
        waiting = asyncio.create_task(whole(reading))
        await settled()
        await log.add(3)
        log.hub.close()
        ends = [(await waiting), first + await whole(slow), await whole(log.read()), await whole(log.read(4))]
    for end, before in zip(ends, [0, 0, 0, 4], strict=True):
        known = log.bytes(before)
        assert end.startswith(known)
        message = end[len(known) :].decode()
        assert message.endswith("\n\n")
        assert all(line.startswith(": ") for line in message.splitlines() if line)


async def test_a_task_that_is_over_ends_without_a_closing_message_even_when_the_hub_has_closed(
    make: Make,
) -> None:
    log = await begun(make)
    await log.add(2, final=True)
    log.hub.close()
    assert await whole(log.read()) == log.bytes()


# --- attaching a sink -------------------------------------------------------------------------------


class RecordingSink:
    """Detaches when it has taken so many chunks."""

    def __init__(self, limit: int) -> None:
        self.taken: list[bytes] = []
        self._limit = limit

    def __call__(self, chunk: bytes) -> bool:
        self.taken.append(chunk)
        return len(self.taken) < self._limit


async def test_publish_writes_to_attached_sinks_before_it_returns(make: Make) -> None:
    log = await begun(make)
    await log.add()
    async with aclosing(log.read()) as stream:
        await anext(stream)
        sink = RecordingSink(limit=3)
        attached = asyncio.create_task(stream.attach(sink))
        await settled()
        for n in (2, 3):
            log.hub.publish(await log.store_only())
            assert sink.taken[-1] == encode(an_event(log.task, n, n=n))
        assert not attached.done()
        log.hub.publish(await log.store_only())
        log.hub.publish(await log.store_only())
        await attached
        assert b"".join(sink.taken) + await anext(stream) == log.bytes(after=1)


async def test_nothing_is_written_to_a_sink_while_there_is_something_to_read(make: Make) -> None:
    log = await begun(make)
    await log.add(2)
    async with aclosing(log.read()) as stream:
        sink = RecordingSink(limit=9)
        await stream.attach(sink)
        assert await anext(stream) == log.bytes()
        await log.add()
        await stream.attach(sink)
        assert await anext(stream) == log.bytes(after=2)
        attached = asyncio.create_task(stream.attach(sink))
        await settled()
        await log.store_only()
        await log.add()
        await attached
        missed = log.bytes(after=3)
        assert await at_least(stream, len(missed)) == missed
        await log.add(final=True)
        await stream.attach(sink)
        assert await whole(stream) == log.bytes(after=5)
        await stream.attach(sink)
    assert sink.taken == []


async def test_live_messages_are_written_to_sinks_that_want_them_as_they_were_published(
    make: Make,
) -> None:
    log = await begun(make)
    await log.add()
    async with aclosing(log.read(live=True)) as listening, aclosing(log.read()) as plain:
        sinks, attached = [RecordingSink(limit=9), RecordingSink(limit=9)], []
        for stream, sink in zip((listening, plain), sinks, strict=True):
            await anext(stream)
            attached.append(asyncio.create_task(stream.attach(sink)))
        await settled()
        log.hub.publish_live(log.task.id, {"n": 0})
        await log.add()
        log.hub.publish_live(log.task.id, {"n": 1})
        event = encode(an_event(log.task, 2, n=2))
        assert sinks[0].taken == [encode_delta({"n": 0}), event, encode_delta({"n": 1})]
        assert sinks[1].taken == [event]
        log.hub.close()
        await asyncio.gather(*attached)
        assert [await whole(stream) for stream in (listening, plain)] == [await whole(log.read(after=2))] * 2


async def test_closing_detaches_sinks(make: Make) -> None:
    log = await begun(make)
    await log.add()
    async with aclosing(log.read(after=1)) as stream:
        attached = asyncio.create_task(stream.attach(RecordingSink(limit=9)))
        await settled()
        log.hub.close()
        await attached
        assert b": the server is restarting" in await whole(stream)


async def test_nothing_is_written_to_a_sink_after_its_subscriber_has_left(make: Make) -> None:
    log = await begun(make)
    await log.add()
    sink = RecordingSink(limit=9)
    async with aclosing(log.read(after=1)) as stream:
        attached = asyncio.create_task(stream.attach(sink))
        await settled()
        attached.cancel()
        await asyncio.wait([attached])
        await log.add()
    await log.add()
    assert sink.taken == []


@pytest.mark.parametrize("live", [False, True])
async def test_a_subscriber_that_is_ahead_of_what_was_published_gets_no_event_twice(
    make: Make, live: bool
) -> None:
    """It has read the log elsewhere, with an event whose commit raised although it was stored."""
    log = await begun(make)
    async with aclosing(log.read()) as other:
        pending = asyncio.ensure_future(anext(other))
        await settled()
        missed = await log.store_only()
        async with aclosing(log.read(after=1, live=live)) as ahead:
            sink = RecordingSink(limit=9)
            attached = asyncio.create_task(ahead.attach(sink))
            await settled()
            log.hub.publish(missed)
            await log.add(final=True)
            await attached
            assert b"".join(sink.taken) + await whole(ahead) == log.bytes(after=1)
        assert await pending + await whole(other) == log.bytes()


# --- any order of everything ------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3)),
        st.tuples(st.just("store only"), st.integers(1, 2)),
        st.tuples(st.just("live"), st.just(0)),
        st.tuples(st.just("subscribe"), st.integers(0, 5)),
        st.tuples(st.just("subscribe live"), st.integers(0, 5)),
        st.tuples(st.sampled_from(["attach", "attach live"]), st.integers(0, 5)),
        st.tuples(st.just("be slow"), st.integers(0, 4)),
        st.tuples(st.just("read"), st.integers(0, 4)),
        st.tuples(st.just("leave"), st.integers(0, 4)),
        st.tuples(st.just("block the store"), st.just(0)),
        st.tuples(st.just("unblock the store"), st.just(0)),
        st.tuples(st.just("settle"), st.just(0)),
    ),
    max_size=40,
)


class Reader:
    """Reads one chunk at a time, when asked to; what it has is compared with the log as it is stored."""

    def __init__(self, log: Log, after: int, live: bool) -> None:
        self.after = min(after, log.task.sequence)
        self.read = b""
        self._stream = log.read(self.after, live)
        self._next: asyncio.Task[bytes] | None = None

    def be_slow(self) -> None:
        """It always is."""

    async def turn(self) -> None:
        if self._next is None:
            self._next = asyncio.create_task(anext(self._stream))
        await settled()
        if self._next.done():
            self.read += self._next.result()
            self._next = None

    async def rest(self) -> bytes:
        if self._next:
            self.read += await self._next
        self.read += await whole(self._stream)
        return self.read

    async def leave(self) -> None:
        if self._next:
            self._next.cancel()
            await asyncio.wait([self._next])
        await self._stream.aclose()


class Follower:
    """As a response does it: attaches a sink, and reads when it must, once it is not slow any more."""

    def __init__(self, log: Log, after: int, live: bool) -> None:
        self.after = min(after, log.task.sequence)
        self.read = b""
        self._quick = anyio.Event()
        self._quick.set()
        self._stream = log.read(self.after, live)
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        await self._stream.attach(self._take)
        async for chunk in self._stream:
            await self._quick.wait()
            self.read += chunk
            await self._stream.attach(self._take)

    def _take(self, chunk: bytes) -> bool:
        self.read += chunk
        return self._quick.is_set()

    def be_slow(self) -> None:
        self._quick = anyio.Event() if self._quick.is_set() else self._quick

    async def turn(self) -> None:
        self._quick.set()
        await settled()

    async def rest(self) -> bytes:
        self._quick.set()
        await self._task
        return self.read

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._stream.aclose()


def without_live(read: bytes) -> bytes:
    messages = read.split(b"\n\n")
    return b"\n\n".join(message for message in messages if not message.startswith(b"event: delta"))


async def play(make: Make, script: Sequence[tuple[str, Any]]) -> None:
    store = GatedStore()
    log = await begun(make, store)
    readers: list[Reader | Follower] = []
    for verb, number in script:
        match verb:
            case "add":
                await log.add(number)
            case "store only":
                await log.store_only(number)
            case "live":
                log.hub.publish_live(log.task.id, {"after": log.task.sequence})
            case "subscribe" | "subscribe live":
                readers.append(Reader(log, number, live=verb.endswith("live")))
            case "attach" | "attach live":
                readers.append(Follower(log, number, live=verb.endswith("live")))
            case "be slow" if number < len(readers):
                readers[number].be_slow()
            case "read" if number < len(readers):
                await readers[number].turn()
            case "leave" if number < len(readers):
                await readers.pop(number).leave()
            case "block the store" if store.gate.is_set():  # a second gate would leave the first one shut
                store.gate = anyio.Event()
            case "unblock the store":
                store.gate.set()
            case "settle":
                await settled()
        for reader in readers:
            assert log.bytes(reader.after).startswith(without_live(reader.read))
    store.gate.set()
    await log.add(final=True)
    for reader in readers:
        assert without_live(await reader.rest()) == log.bytes(reader.after)


@pytest.mark.parametrize("hub", [*HUBS, two_processes_that_read], ids=lambda kind: kind.__name__)
@hypothesis_settings(max_examples=150, deadline=None)
@given(script=steps)
def test_in_any_order_of_operations_each_subscriber_gets_each_event_once(
    hub: Make, script: list[tuple[str, Any]]
) -> None:
    """Against a model as simple as the promise: the log itself."""
    asyncio.run(asyncio.wait_for(play(hub, script), 60))


# --- a task that is retried -------------------------------------------------------------------------


async def test_after_a_retry_a_subscriber_that_had_the_end_resumes_with_the_rest(make: Make) -> None:
    log = await begun(make)
    await log.add(2, final=True)
    assert await whole(log.read()) == log.bytes()
    log.task = replace(log.task, state=State.RUNNING)
    await log.add()
    async with aclosing(log.read(after=2)) as reader:
        assert await anext(reader) == log.bytes(after=2)
        await log.add(final=True)
        assert await anext(reader) == log.bytes(after=3)
        assert await whole(reader) == b""


async def test_a_slow_subscriber_does_not_preserve_the_end_before_the_retry(make: Make) -> None:
    """It keeps the channel through the retry; a second subscriber's stream must not end at once."""
    log = await begun(make)
    await log.add()
    async with aclosing(log.read()) as slow, aclosing(log.read(after=1)) as quick:
        assert await anext(slow) == log.bytes()
        await log.add(final=True)
        assert await whole(quick) == log.bytes(after=1)
        log.task = replace(log.task, state=State.RUNNING)
        await log.add()
        async with aclosing(log.read(after=2)) as back:
            assert await anext(back) == log.bytes(after=2)
            await log.add(final=True)
            assert await whole(back) == log.bytes(after=3)
        assert await whole(slow) == log.bytes(after=1)


async def test_a_retry_while_the_store_is_being_read_does_not_end_the_stream(make: Make) -> None:
    class Retried(MemoryStore):
        """Retries the task between the two reads of the hub."""

        async def events(self, task_id: str, after: int = 0) -> list[Event]:
            if log.task.sequence == 1:
                log.task = replace(log.task, state=State.RUNNING)
                await log.add()
            return await super().events(task_id, after)

    store = Retried()
    log = Log(hub=make(store), store=store)
    await log.begin()
    await log.add(final=True)
    async with aclosing(log.read()) as reader:
        assert await anext(reader) == log.bytes()
        await log.add(final=True)
        assert await whole(reader) == log.bytes(after=2)
