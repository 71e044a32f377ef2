"""The port to subscribers: one channel per task, any number of subscribers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event

Sink = Callable[[bytes], bool]
"""Accepts a chunk of whole messages; must neither wait nor raise. Returns False if it accepts no more for
now."""


class Subscription(Protocol):
    """One subscriber's position in a task's log: an iterator over chunks of whole messages."""

    def __aiter__(self) -> Subscription: ...

    async def __anext__(self) -> bytes: ...

    async def load(self) -> None:
        """Read at most a page of stored events for this subscriber; does not wait for new events."""
        ...

    async def attach(self, sink: Sink) -> None:
        """Let publishers write to `sink` synchronously for as long as the subscriber is caught up.

        Returns, possibly immediately, when the iterator must be read again: the sink returned False, there
        are events that the sink has not received, or the stream ends. The iterator does not return what the
        sink accepted.
        """
        ...

    async def aclose(self) -> None:
        """Unsubscribe. Nothing was subscribed before the first chunk was read."""
        ...


class Hub(Protocol):
    """Delivers committed events to subscribers.

    Order and delivery: each subscriber gets every event of the task exactly once, in the order of their ids,
    whatever its speed; a slow subscriber delays no other one and skips no event. Live messages are
    delivered in order with the events, and are lost for a subscriber that is slow or late. Live messages of
    another process can be lost or arrive after later events, but in their own order and once.
    """

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        """Deliver committed events of one task, at least one, in order.

        `is_final`: no event follows them unless the task is retried; a subscriber that has not received the
        last event by then continues with the new ones.
        """
        ...

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        """Deliver to present subscribers that want live messages; nothing is stored."""
        ...

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> Subscription:
        """The encoded events with ids greater than `after`: stored ones, then new ones.

        It ends when the task is over or the hub closes (then with a message that says when to reconnect).
        `live`: live messages too.
        """
        ...

    def close(self) -> None:
        """End every subscription; later subscriptions end immediately."""
        ...
