"""A hub inside one process. Channels exist while somebody reads them; the store is the memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Any

import structlog

from gencode.errors import StoreError
from gencode.event import Event
from gencode.hubs.channel import Channel
from gencode.store import Query, Store

log = structlog.get_logger(__name__)

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
            channel.publish(events, over)

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        if channel := self._channels.get(task_id):
            channel.live(data)

    async def subscribe(
        self, task_id: str, after: int = 0, deltas: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """A store that cannot be read ends the stream with the farewell, too: reconnecting resumes it."""
        with self._reading(task_id, deltas) as channel:
            try:
                async with aclosing(channel.read(after, deltas)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except StoreError as error:
                log.warning("an event stream ended early", task_id=task_id, reason=error.message)
                yield FAREWELL

    def close(self) -> None:
        self._closed = True
        for channel in self._channels.values():
            channel.close(FAREWELL)

    @contextmanager
    def _reading(self, task_id: str, deltas: bool) -> Iterator[Channel]:
        """The channel is registered before the store is read, so nothing falls between the two."""
        channel = self._channels.get(task_id) or self._opened(task_id)
        channel.readers += 1
        channel.listeners += deltas
        try:
            yield channel
        finally:
            channel.listeners -= deltas
            channel.readers -= 1
            if not channel.readers:
                del self._channels[task_id]

    def _opened(self, task_id: str) -> Channel:
        channel = self._channels[task_id] = Channel(partial(self._stored, task_id))
        if self._closed:
            channel.close(FAREWELL)
        return channel

    async def _stored(self, task_id: str, after: int) -> tuple[Sequence[Event], bool]:
        """The status first: a task that is over by then has no events that the second read could miss, and
        events past its sequence show that it was retried in between."""
        found = await self._store.find(Query(id=task_id, limit=1))
        events = await self._store.events(task_id, after)
        retried = bool(events and found and events[-1].id > found[0].sequence)
        return events, not retried and any(task.status.is_terminal for task in found)
