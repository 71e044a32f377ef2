"""The port to subscribers: one channel per task, any number of subscribers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event

Sink = Callable[[bytes], bool]
"""Takes a chunk of whole messages without waiting and without raising. False: no more for now."""


class Subscription(Protocol):
    """One subscriber's position in a task's log: an iterator over chunks of whole messages."""

    def __aiter__(self) -> Subscription: ...

    async def __anext__(self) -> bytes: ...

    async def load(self) -> None:
        """Read what the store has for this subscriber, at most a page; waits for no publication."""
        ...

    async def attach(self, sink: Sink) -> None:
        """Let publishers write to `sink` synchronously for as long as the subscriber is caught up.

        Returns, perhaps at once, when the iterator must be read again: the sink returned False, the log is
        ahead, or the stream ends. What the sink took, the iterator does not return.
        """
        ...

    async def aclose(self) -> None:
        """Unsubscribe. Nothing was subscribed before the first chunk was read."""
        ...


class Hub(Protocol):
    """Delivers what the store already holds.

    Order and delivery: each subscriber gets every event of the task exactly once, in the order of their ids,
    whatever its speed; a slow one delays nobody and skips nothing. Live messages come between the same events
    as they were published, and are lost for a subscriber that is slow or late. Those of another process can
    be lost or come after later events, yet in their own order and once.
    """

    def publish(self, events: Sequence[Event], is_final: bool = False) -> None:
        """Deliver committed events of one task, at least one, in order.

        `is_final`: nothing follows them unless the task is retried; a subscriber that has not received the
        end by then reads on.
        """
        ...

    def publish_live(self, task_id: str, data: Mapping[str, Any]) -> None:
        """Deliver to present subscribers that want live messages; nothing is stored."""
        ...

    def subscribe(self, task_id: str, after: int = 0, live: bool = False) -> Subscription:
        """The encoded events with ids greater than `after`: stored ones, then new ones.

        It ends when the task is over or the hub closes (then with a message that tells the client when to
        reconnect). `live`: live messages too.
        """
        ...

    def close(self) -> None:
        """End every subscription, now and from now on."""
        ...
