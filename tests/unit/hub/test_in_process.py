from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from gencode.domain.errors import StoreError
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.hub.channel_registry import FAREWELL
from gencode.hub.in_process import InProcessHub
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import a_task, an_event


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
    task = a_task(sequence=1)
    await store.create(task, [an_event(task, 1)])
    return task


async def test_a_channel_lives_as_long_as_somebody_reads_it() -> None:
    """Else the logs of all tasks that were ever watched stay in memory."""
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    for reads in (1, 2):
        async with aclosing(hub.subscribe(task.id)) as first, aclosing(hub.subscribe(task.id)) as second:
            assert await anext(first) == await anext(second)
            assert (hub.readers, store.reads) == (2, reads)
        assert hub.readers == 0


async def test_a_store_that_cannot_be_read_ends_the_stream_so_that_the_client_comes_back() -> None:
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    async with aclosing(hub.subscribe(task.id)) as healthy:
        assert await anext(healthy)
        store.down = True
        hub.publish([an_event(task, 3)])
        assert [chunk async for chunk in healthy] == [FAREWELL]
    assert [chunk async for chunk in hub.subscribe(task.id)] == [FAREWELL]
    assert hub.readers == 0


async def test_nobody_pays_for_live_messages_that_nobody_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not even encoded: NaN would raise."""
    store = CountedStore()
    hub, task = InProcessHub(store), await one_event(store)
    async with aclosing(hub.subscribe(task.id)) as plain:
        await anext(plain)
        hub.live(task.id, {"n": float("nan")})
        async with aclosing(hub.subscribe(task.id, deltas=True)) as listening:
            await anext(listening)
            with pytest.raises(ValueError, match="JSON"):
                hub.live(task.id, {"n": float("nan")})
        hub.live(task.id, {"n": float("nan")})
    await asyncio.sleep(0)
