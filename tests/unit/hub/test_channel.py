"""What the contract of hubs cannot see: sizes, reads of the store, wakings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import anyio
import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.hub.channel import CHUNK, Channel
from tests.unit.storage.samples import a_task, an_event

TASK = a_task()


def some_events(first: int, last: int, text: str = "") -> list[Event]:
    return [an_event(TASK, id_, text=text) for id_ in range(first, last + 1)]


class Stored:
    """A store's side of a channel. `asked`: the positions it was read from."""

    def __init__(self, events: Sequence[Event] = (), over: bool = False) -> None:
        self.events = list(events)
        self.over = over
        self.asked: list[int] = []

    async def __call__(self, after: int) -> tuple[Sequence[Event], bool]:
        self.asked.append(after)
        await anyio.lowlevel.checkpoint()
        return self.events[after:], self.over


async def read(channel: Channel, position: int = 0, deltas: bool = False) -> AsyncGenerator[bytes, None]:
    place = channel.start(position, deltas)
    while True:
        if chunk := channel.read(place):
            yield chunk
        elif not await channel.more(place):
            break


async def chunks(channel: Channel, position: int = 0) -> list[bytes]:
    return [chunk async for chunk in read(channel, position)]


async def test_a_long_log_comes_in_chunks_of_whole_messages() -> None:
    channel = Channel(Stored(some_events(1, 100, "x" * 10_000), over=True))
    read = await chunks(channel)
    assert all(chunk.endswith(b"\n\n") and CHUNK <= len(chunk) < CHUNK + 11_000 for chunk in read[:-1])
    assert b"".join(read).count(b"\nid: ") == 100
    assert len(read) > 10


async def test_only_what_is_missing_is_read_from_the_store() -> None:
    stored = Stored(some_events(1, 3))
    channel = Channel(stored)
    async with aclosing(read(channel)) as stream:
        await anext(stream)
        stored.events += some_events(4, 7)
        channel.publish(stored.events[3:5], over=False)
        await anext(stream)
        assert stored.asked == [0]
        channel.publish(stored.events[6:], over=True)
        assert [chunk async for chunk in stream]
        assert stored.asked == [0, 5]


async def test_a_store_that_lacks_what_was_published_is_not_asked_for_ever() -> None:
    stored = Stored(some_events(1, 1))
    channel = Channel(stored)
    channel.publish(some_events(3, 3), over=False)
    with pytest.raises(StoreError, match="lacks an event"):
        await chunks(channel, position=1)
    assert stored.asked == [0]


async def test_live_messages_wake_only_who_listens() -> None:
    """With many readers and hundreds of tokens a second, the others' wakings would fill the loop."""
    channel = Channel(Stored())
    channel.listeners = 1
    quiet, listening = read(channel), read(channel, deltas=True)
    async with aclosing(quiet), aclosing(listening), anyio.create_task_group() as tg:
        tg.start_soon(anext, quiet)
        await anyio.wait_all_tasks_blocked()
        waited_for = channel._grown._event
        assert waited_for.statistics().tasks_waiting == 1
        heard = asyncio.ensure_future(anext(listening))
        await anyio.wait_all_tasks_blocked()
        channel.live({"n": 1})
        assert b'{"n":1}' in await heard
        assert not waited_for.is_set()
        tg.cancel_scope.cancel()
