"""A hub inside one process. Channels exist while somebody reads them; the store is the memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from gencode.event import Event, encode_delta
from gencode.hubs.channel import Channel
from gencode.store import Query, Store

FAREWELL = b": the server is restarting; reconnect to go on after the last id\nretry: 1000\n\n"


class MemoryHub:
    """See gencode.hub.Hub. Reads the store once per channel, whatever the number of its readers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._channels: dict[str, Channel] = {}
        self._closed = False

    @property
    def readers(self) -> int:
        """Open streams, for the metrics."""
        return sum(channel.readers for channel in self._channels.values())

    def publish(self, events: Sequence[Event], over: bool = False) -> None:
        if channel := self._channels.get(events[0].task_id):
            channel.append(events, over)

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        if channel := self._channels.get(task_id):
            channel.live(encode_delta(data))

    async def subscribe(
        self, task_id: str, after: int = 0, deltas: bool = False
    ) -> AsyncGenerator[bytes, None]:
        with self._reading(task_id) as channel:
            await self._load(task_id, channel)
            async with aclosing(channel.read(after, deltas)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def close(self) -> None:
        self._closed = True
        for channel in self._channels.values():
            channel.close(FAREWELL)

    @contextmanager
    def _reading(self, task_id: str) -> Iterator[Channel]:
        channel = self._channels.setdefault(task_id, Channel())
        channel.readers += 1
        if self._closed:
            channel.close(FAREWELL)
        try:
            yield channel
        finally:
            channel.readers -= 1
            if not channel.readers:
                self._channels.pop(task_id, None)

    async def _load(self, task_id: str, channel: Channel) -> None:
        """The channel is registered before the store is read, so nothing falls between the two."""
        async with channel.loading:
            if channel.loaded:
                return
            found = await self._store.find(Query(id=task_id, limit=1))
            stored = await self._store.events(task_id)
            channel.load(stored, over=any(task.status.is_terminal for task in found))
