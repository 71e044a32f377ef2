from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.hub.in_process import CLOSING_MESSAGE, InProcessHub
from gencode.storage.memory import MemoryStore
from tests.unit.engine.rig import an_event, new_task


class CountedStore(MemoryStore):
    """`down`: it refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.down = False

    async def events(self, task_id: str, after: int = 0) -> list[Event]:
        self.reads += 1
        if self.down:
            raise StoreError("the disk is gone")
        return await super().events(task_id, after)


async def one_event(store: MemoryStore) -> Task:
    task = new_task(sequence=1)
    await store.create(task, {}, [an_event(task, 1)])
    return task


async def test_a_channel_exists_while_it_has_subscribers() -> None:
    """Else the logs of all tasks that were ever watched stay in memory."""
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    for reads in (1, 2):
        async with aclosing(hub.subscribe(task.id)) as first, aclosing(hub.subscribe(task.id)) as second:
            assert await anext(first) == await anext(second)
            assert (hub.subscribers, store.reads) == (2, reads)
        assert hub.subscribers == 0


async def test_a_store_that_cannot_be_read_ends_the_stream_so_that_the_client_reconnects() -> None:
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    async with aclosing(hub.subscribe(task.id)) as healthy:
        assert await anext(healthy)
        store.down = True
        hub.publish([an_event(task, 3)])
        assert [chunk async for chunk in healthy] == [CLOSING_MESSAGE]
    assert [chunk async for chunk in hub.subscribe(task.id)] == [CLOSING_MESSAGE]
    assert hub.subscribers == 0


async def test_live_messages_that_nobody_wants_cost_nothing() -> None:
    """They are not even encoded: NaN would raise."""
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    async with aclosing(hub.subscribe(task.id)) as plain:
        await anext(plain)
        hub.publish_live(task.id, {"n": float("nan")})
        async with aclosing(hub.subscribe(task.id, live=True)) as listening:
            await anext(listening)
            with pytest.raises(ValueError, match="JSON"):
                hub.publish_live(task.id, {"n": float("nan")})
        hub.publish_live(task.id, {"n": float("nan")})
    await asyncio.sleep(0)


async def test_a_listener_is_called_for_each_commit_after_its_delivery() -> None:
    """Whether or not the task has subscribers."""
    store = CountedStore()
    calls: list[tuple[Sequence[Event], list[bytes]]] = []
    delivered: list[bytes] = []

    def sink(chunk: bytes) -> bool:
        delivered.append(chunk)
        return True

    hub = InProcessHub(store, on_publish=lambda events: calls.append((events, [*delivered])))
    task = await one_event(store)
    events = [an_event(task, id_) for id_ in (2, 3, 4)]
    hub.publish(events[:1])
    async with aclosing(hub.subscribe(task.id, after=1)) as stream:
        attached = asyncio.create_task(stream.attach(sink))
        while not hub.subscribers or not hub._channels[task.id]._attached._attachments:
            await asyncio.sleep(0)
        store.down = True
        hub.publish([an_event(task, 2), an_event(task, 3)])
        hub.publish_live(task.id, {"n": 1})
        hub.close()
        await attached
    assert [[event.id for event in events] for events, _ in calls] == [[2], [2, 3]]
    assert [len(before) for _, before in calls] == [0, 1]
