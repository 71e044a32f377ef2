"""What the contract of hubs cannot see: sizes, reads of the store, wakings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.hub.task_channel import CHUNK, LIVE_MESSAGES, WINDOW, Page, TaskChannel, _LiveBuffer
from tests.unit.engine.rig import an_event, new_task

TASK = new_task()


def some_events(first: int, last: int, text: str = "") -> list[Event]:
    return [an_event(TASK, id_, text=text) for id_ in range(first, last + 1)]


class Stored:
    """What a channel loads. `asked`: the positions it was read from; `page`: events in a page."""

    def __init__(self, events: Sequence[Event] = (), is_final: bool = False, page: int = 1000) -> None:
        self.page = page
        self.events = list(events)
        self.is_final = is_final
        self.asked: list[int] = []

    async def __call__(self, after: int) -> Page:
        self.asked.append(after)
        await anyio.lowlevel.checkpoint()
        found = self.events[after : after + self.page]
        is_last = after + len(found) == len(self.events)
        return Page(events=found, is_last=is_last, is_final=is_last and self.is_final)


async def read(channel: TaskChannel, position: int = 0, live: bool = False) -> AsyncGenerator[bytes, None]:
    cursor = channel.cursor(position, live)
    while True:
        if chunk := channel.read(cursor):
            yield chunk
        elif not await channel.wait(cursor):
            break


async def chunks(channel: TaskChannel, position: int = 0) -> list[bytes]:
    return [chunk async for chunk in read(channel, position)]


async def test_a_long_log_is_read_in_chunks_of_whole_messages() -> None:
    channel = TaskChannel(Stored(some_events(1, 100, "x" * 10_000), is_final=True))
    read = await chunks(channel)
    assert all(chunk.endswith(b"\n\n") and CHUNK <= len(chunk) < CHUNK + 11_000 for chunk in read[:-1])
    assert b"".join(read).count(b"\nid: ") == 100
    assert len(read) > 10


async def test_only_what_is_missing_is_read_from_the_store() -> None:
    stored = Stored(some_events(1, 3))
    channel = TaskChannel(stored)
    async with aclosing(read(channel)) as stream:
        await anext(stream)
        stored.events += some_events(4, 7)
        channel.publish(stored.events[3:5], is_final=False)
        await anext(stream)
        assert stored.asked == [0]
        channel.publish(stored.events[6:], is_final=True)
        assert [chunk async for chunk in stream]
        assert stored.asked == [0, 5]


async def test_a_store_that_lacks_published_events_is_not_read_for_ever() -> None:
    stored = Stored(some_events(1, 1))
    channel = TaskChannel(stored)
    channel.publish(some_events(3, 3), is_final=False)
    with pytest.raises(StoreError, match="lacks an event"):
        await chunks(channel, position=1)
    assert stored.asked == [1]


# --- long logs --------------------------------------------------------------------------------------

LARGE = 10_000
PAGE = 10


def large_log() -> Stored:
    """Four megabytes in pages of a hundred kilobytes."""
    return Stored(some_events(1, 400, "x" * LARGE), is_final=True, page=PAGE)


def held(channel: TaskChannel) -> int:
    """Bytes of the log that the channel holds."""
    return sum(map(len, channel._window))


@pytest.mark.fault(113)
async def test_a_subscriber_that_does_not_read_on_loads_one_page() -> None:
    """200 of them on a log of 15 MB grew the process from 232 to 2,503 MB."""
    stored = large_log()
    channel = TaskChannel(stored)
    streams = [read(channel) for _ in range(200)]
    for stream in streams:
        await anext(stream)
    assert stored.asked == [0]
    assert held(channel) < 2 * PAGE * LARGE
    for stream in streams:
        await stream.aclose()


@pytest.mark.fault(113)
async def test_a_window_of_a_long_log_is_held_and_each_subscriber_gets_all_of_it() -> None:
    """The first is far behind the window when it reads on; it reads the store for itself."""
    stored = large_log()
    channel = TaskChannel(stored)
    slow = read(channel)
    begin = await anext(slow)
    most = 0
    whole = []
    async for chunk in read(channel):
        whole.append(chunk)
        most = max(most, held(channel))
    assert most <= WINDOW + 2 * PAGE * LARGE
    assert begin + b"".join([chunk async for chunk in slow]) == b"".join(whole)
    assert b"".join(whole).count(b"\nid: ") == 400
    assert b"".join(await chunks(channel, position=399)).count(b"\nid: ") == 1


@pytest.mark.fault(113)
async def test_what_is_published_leaves_the_window_too() -> None:
    stored = Stored()
    channel = TaskChannel(stored)
    async with aclosing(read(channel)) as stream:
        for event in some_events(1, 400, "x" * LARGE):
            stored.events.append(event)
            channel.publish([event], is_final=False)
            if event.id == 1:
                first = await anext(stream)
        assert held(channel) <= WINDOW + 2 * LARGE
        received = first
        while received.count(b"\nid: ") < 400:
            received += await anext(stream)
        assert held(channel) <= WINDOW + 2 * LARGE


async def test_live_messages_keep_their_place_among_events_that_were_loaded_apart() -> None:
    """A subscriber behind the window gets a live message after the events that were published before it."""
    stored = Stored()
    channel = TaskChannel(stored)
    channel.live_subscribers = 1
    async with aclosing(read(channel, live=True)) as stream:
        waiting = asyncio.ensure_future(anext(stream))
        await anyio.wait_all_tasks_blocked()
        for event in some_events(1, 60, "x" * LARGE):
            stored.events.append(event)
            channel.publish([event], is_final=False)
            if event.id == 5:
                channel.publish_live({"n": 5})
        assert channel._first > 5
        received = await waiting
        while received.count(b"\nid: ") < 60:
            received += await anext(stream)
    before, _, after = received.partition(b'{"n":5}')
    assert (before.count(b"\nid: "), after.count(b"\nid: ")) == (5, 55)


async def test_a_subscriber_at_the_end_does_not_load_what_is_before_it() -> None:
    stored = large_log()
    assert b"".join(await chunks(TaskChannel(stored), position=395)).count(b"\nid: ") == 5
    assert stored.asked == [395]


@pytest.mark.parametrize("was_final", [False, True])
async def test_an_event_that_is_published_again_is_delivered_once(was_final: bool) -> None:
    """Its writer could not know whether it was published: see WorkerPool."""
    channel = TaskChannel(Stored(some_events(1, 1)))
    async with aclosing(read(channel)) as stream:
        first = await anext(stream)
        channel.publish(some_events(2, 2), is_final=was_final)
        channel.publish(some_events(2, 2), is_final=True)
        assert b"".join([first, *[chunk async for chunk in stream]]).count(b"\nid: ") == 2


async def test_live_messages_wake_only_subscribers_that_want_them() -> None:
    """With many subscribers and hundreds of tokens a second, the others' wakings would fill the loop."""
    channel = TaskChannel(Stored())
    channel.live_subscribers = 1
    quiet, listening = read(channel), read(channel, live=True)
    async with aclosing(quiet), aclosing(listening), anyio.create_task_group() as group:
        group.start_soon(anext, quiet)
        await anyio.wait_all_tasks_blocked()
        waited_for = channel._event_arrived._event
        assert waited_for.statistics().tasks_waiting == 1
        message = asyncio.ensure_future(anext(listening))
        await anyio.wait_all_tasks_blocked()
        channel.publish_live({"n": 1})
        assert b'{"n":1}' in await message
        assert not waited_for.is_set()
        group.cancel_scope.cancel()


# --- the buffer of live messages --------------------------------------------------------------------


def test_live_messages_are_numbered_and_have_a_position_among_the_events() -> None:
    live = _LiveBuffer()
    live.append(2, b"a")
    live.append(2, b"b")
    live.append(5, b"c")
    assert live.end == 3
    assert live.before(position=2, number=0) == [b"a", b"b"]
    assert live.before(position=2, number=1) == [b"b"]
    assert live.before(position=1, number=0) == []
    assert live.before(position=9, number=0) == [b"a", b"b", b"c"]
    assert [live.position(number) for number in range(4)] == [2, 2, 5, None]


def test_the_oldest_live_messages_are_dropped_when_there_are_too_many() -> None:
    live = _LiveBuffer()
    for number in range(LIVE_MESSAGES + 10):
        live.append(0, b"%d" % number)
    assert live.first_held(0) == live.first_held(10) == 10
    assert live.first_held(11) == 11
    assert live.before(0, live.first_held(0))[0] == b"10"
    assert live.first_held(live.end) == live.end
