"""The queue of messages to other processes, batched into notifications."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio

MAX_DROPPABLE = 2048
"""Droppable messages that wait; older ones are lost."""
MAX_KEPT = 10_000
"""Kept messages that wait while they cannot be sent; the oldest beyond them are lost."""
GATHER_SECONDS = 0.02
"""How long a droppable message waits for others, so that one statement sends them all."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Message:
    """`number`: its sequence number among all messages."""

    number: int
    channel: str
    payload: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What waited; `kept` is by channel and key."""

    droppable: Sequence[Message]
    kept: Mapping[tuple[str, str], Message]

    @property
    def messages(self) -> list[Message]:
        """All messages, in the order in which they were put."""
        return sorted([*self.droppable, *self.kept.values()])


class OutgoingMessages:
    """Kept messages are sent at least once; of two with the same channel and key that wait, the later one.
    Droppable ones are sent at most once, in order. Of both the oldest are lost when too many wait."""

    def __init__(self) -> None:
        self._last_number = 0
        self._droppable: deque[Message] = deque(maxlen=MAX_DROPPABLE)
        self._kept: dict[tuple[str, str], Message] = {}
        self._arrived = anyio.Event()
        self._kept_arrived = anyio.Event()

    def put(self, channel: str, key: str, payload: str) -> None:
        self._kept[channel, key] = self._message(channel, payload)
        self._drop_oldest()
        self._arrived.set()
        self._kept_arrived.set()

    def put_droppable(self, channel: str, payload: str) -> None:
        self._droppable.append(self._message(channel, payload))
        self._arrived.set()

    def _message(self, channel: str, payload: str) -> Message:
        self._last_number += 1
        return Message(number=self._last_number, channel=channel, payload=payload)

    def _drop_oldest(self) -> None:
        while len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]

    async def wait(self) -> None:
        """Waits until there is something to send. Kept messages are sent at once, together with all droppable
        ones that wait."""
        await self._arrived.wait()
        with anyio.move_on_after(GATHER_SECONDS):
            await self._kept_arrived.wait()

    def take(self) -> Batch:
        """Take all messages that wait."""
        batch = Batch(droppable=self._droppable, kept=self._kept)
        self._droppable, self._kept = deque(maxlen=MAX_DROPPABLE), {}
        self._arrived, self._kept_arrived = anyio.Event(), anyio.Event()
        return batch

    def restore(self, batch: Batch) -> None:
        """The batch was perhaps not sent: its kept messages wait again, unless later ones do."""
        self._kept = {**batch.kept, **self._kept}
        self._drop_oldest()
        if self._kept:
            self._arrived.set()
            self._kept_arrived.set()
