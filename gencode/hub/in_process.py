"""A hub inside one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gencode.domain.event import Event
from gencode.engine.store import Store
from gencode.hub.channel_registry import ChannelRegistry
from gencode.hub.subscription import ChannelSubscription


class InProcessHub:
    """See gencode.engine.hub.Hub. Channels exist while somebody reads them."""

    def __init__(self, store: Store) -> None:
        self._channels = ChannelRegistry(store)

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

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> ChannelSubscription:
        return ChannelSubscription(self._channels, task_id, after, deltas)

    def close(self) -> None:
        self._channels.close()
