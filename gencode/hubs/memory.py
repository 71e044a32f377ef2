"""A hub inside one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.event import Event
from gencode.hubs.channels import Channels
from gencode.hubs.reader import Reader
from gencode.store import Store


class MemoryHub:
    """See gencode.hub.Hub. Channels exist while somebody reads them."""

    def __init__(self, store: Store) -> None:
        self._channels = Channels(store)

    @property
    def readers(self) -> int:
        """Open streams, for the metrics."""
        return self._channels.readers

    def publish(self, events: Sequence[Event], over: bool = False) -> None:
        if channel := self._channels.get(events[0].task_id):
            channel.publish(events, over)

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        if channel := self._channels.get(task_id):
            channel.live(data)

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> Reader:
        return Reader(self._channels, task_id, after, deltas)

    def close(self) -> None:
        self._channels.close()
