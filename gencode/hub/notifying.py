"""A hub that lets somebody know whenever a task has news for its callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gencode.domain.callback import NEWS
from gencode.domain.event import Event
from gencode.engine.hub import Hub, Subscription


class NotifyingHub:
    """See gencode.engine.hub.Hub. `listener` is called after subscribers were told."""

    def __init__(self, hub: Hub, listener: Callable[[], None]) -> None:
        self._hub = hub
        self._listener = listener

    def publish(self, events: Sequence[Event], over: bool = False) -> None:
        self._hub.publish(events, over)
        if any(event.kind in NEWS for event in events):
            self._listener()

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        self._hub.live(task_id, data)

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> Subscription:
        return self._hub.subscribe(task_id, after, deltas)

    def close(self) -> None:
        self._hub.close()
