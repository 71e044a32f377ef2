"""The seam to subscribers: one channel per task, any number of readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gencode.domain.event import Event

Sink = Callable[[bytes], bool]
"""Takes a chunk of whole messages, without waiting and without raising; False: take no more for now."""


class Subscription(Protocol):
    """One reader's way through a task's log, in chunks of whole messages; for one caller at a time."""

    def __aiter__(self) -> Subscription: ...

    async def __anext__(self) -> bytes: ...

    async def attach(self, take: Sink) -> None:
        """Have publishers hand what they publish to `take` themselves, for as long as there is nothing else
        to read: no task is woken for it. Returns, perhaps at once, when the iterator must be asked: `take`
        said enough, the log is ahead, the stream ends. What was taken, the iterator does not give again."""
        ...

    async def aclose(self) -> None:
        """Leave. Nothing was begun before the first chunk was asked for."""
        ...


class Hub(Protocol):
    """Fans out what the store already holds.

    Order and delivery: each subscriber gets every event of the task exactly once, in the order of their
    ids, whatever its speed; a slow one slows nobody and is never skipped. Live messages come between the
    same events as they were sent, and may be missed by who is slow or late.
    """

    def publish(self, events: Sequence[Event], over: bool = False) -> None:
        """Tell of committed events of one task (at least one), in order. `over`: nothing follows them, unless
        the task is retried; who has not been told that it is over by then just reads on."""
        ...

    def live(self, task_id: str, data: Mapping[str, Any]) -> None:
        """Tell whoever listens now; nothing is stored."""
        ...

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> Subscription:
        """The encoded events with ids greater than `after`: stored ones, then new ones, until the task is
        over or the hub closes (then with a farewell that tells the client when to reconnect)."""
        ...

    def close(self) -> None:
        """Say farewell to every subscriber, now and from now on."""
        ...
