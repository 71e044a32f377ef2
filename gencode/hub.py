"""The seam to subscribers: one channel per task, any number of readers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from gencode.event import Event


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

    def subscribe(self, task_id: str, after: int = 0, deltas: bool = False) -> AsyncGenerator[bytes, None]:
        """The encoded events with ids greater than `after`: stored ones, then new ones, until the task is
        over or the hub closes (then with a farewell that tells the client when to reconnect)."""
        ...

    def close(self) -> None:
        """Say farewell to every subscriber, now and from now on."""
        ...
