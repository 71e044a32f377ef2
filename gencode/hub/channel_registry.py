"""The channels that somebody reads, by task. The store is the memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gencode.domain.event import Event
from gencode.engine.store import Store, TaskQuery
from gencode.hub.channel import Channel

FAREWELL = b": the server is restarting; reconnect to go on after the last id\nretry: 1000\n\n"


class ChannelRegistry:
    """Each reads the store once, whatever the number of its readers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Channel] = {}
        self._closed = False

    @property
    def readers(self) -> int:
        return sum(channel.readers for channel in self._open.values())

    def get(self, task_id: str) -> Channel | None:
        return self._open.get(task_id)

    def enter(self, task_id: str, deltas: bool) -> Channel:
        """Registered before the store is read, so nothing falls between the two. Then `leave`, once."""
        channel = self._open.get(task_id) or self._opened(task_id)
        channel.readers += 1
        channel.listeners += deltas
        return channel

    def leave(self, task_id: str, deltas: bool) -> None:
        channel = self._open[task_id]
        channel.listeners -= deltas
        channel.readers -= 1
        if not channel.readers:
            del self._open[task_id]

    def close(self) -> None:
        self._closed = True
        for channel in self._open.values():
            channel.close(FAREWELL)

    def _opened(self, task_id: str) -> Channel:
        channel = self._open[task_id] = Channel(partial(self._stored, task_id))
        if self._closed:
            channel.close(FAREWELL)
        return channel

    async def _stored(self, task_id: str, after: int) -> tuple[Sequence[Event], bool]:
        """The status first: a task that is over by then has no events that the second read could miss, and
        events past its sequence show that it was retried in between."""
        found = await self._store.find(TaskQuery(id=task_id, limit=1))
        events = await self._store.events(task_id, after)
        retried = bool(events and found and events[-1].id > found[0].sequence)
        return events, not retried and any(task.status.is_terminal for task in found)
