"""What waits to be sent to the other processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

MAX_DROPPABLE = 2048
"""Droppable messages that wait; older ones are lost."""
GATHER_SECONDS = 0.02
"""How long droppable messages wait for others, so that one statement sends them all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Messages in the order in which they are sent, the droppable ones first.

    droppable   channel and payload
    kept        payload by channel and key
    """

    droppable: Sequence[tuple[str, str]] = ()
    kept: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def messages(self) -> list[tuple[str, str]]:
        return [*self.droppable, *((channel, payload) for (channel, _), payload in self.kept.items())]


class OutgoingMessages:
    """Kept messages are sent at least once; of two with the same channel and key that wait, the later one.
    Droppable ones are sent at most once, in order; the oldest are lost when too many wait."""

    def __init__(self) -> None:
        self._droppable: deque[tuple[str, str]] = deque(maxlen=MAX_DROPPABLE)
        self._kept: dict[tuple[str, str], str] = {}
        self._arrived = anyio.Event()
        self._kept_arrived = anyio.Event()

    def put(self, channel: str, key: str, payload: str) -> None:
        self._kept[channel, key] = payload
        self._arrived.set()
        self._kept_arrived.set()

    def put_droppable(self, channel: str, payload: str) -> None:
        self._droppable.append((channel, payload))
        self._arrived.set()

    async def wait(self) -> None:
        """Until there is something to send. Kept messages are due at once, and take the others along."""
        await self._arrived.wait()
        with anyio.move_on_after(GATHER_SECONDS):
            await self._kept_arrived.wait()

    def take(self) -> Batch:
        """All that waits."""
        batch = Batch(droppable=self._droppable, kept=self._kept)
        self._droppable, self._kept = deque(maxlen=MAX_DROPPABLE), {}
        self._arrived, self._kept_arrived = anyio.Event(), anyio.Event()
        return batch

    def restore(self, batch: Batch) -> None:
        """The batch was perhaps not sent: its kept messages wait again, unless later ones do."""
        later, self._kept = self._kept, {}
        for (channel, key), payload in {**batch.kept, **later}.items():
            self.put(channel, key, payload)
