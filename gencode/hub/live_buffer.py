"""Live-only messages of one task: the latest few, each with its place among the events."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

MOST = 2048
"""Messages held for readers that are a little behind; older ones are gone (they are never stored)."""


class _Message(NamedTuple):
    after: int
    """How many events had been published when this was said."""
    data: bytes


class LiveBuffer:
    """Messages are numbered 0, 1, 2, ... as they are said; `end` is the next number."""

    def __init__(self) -> None:
        self.end = 0
        self._messages: deque[_Message] = deque(maxlen=MOST)

    def say(self, after: int, data: bytes) -> None:
        self._messages.append(_Message(after, data))
        self.end += 1

    def held(self, heard: int) -> int:
        """The first number from `heard` on that is still here."""
        return max(heard, self.end - len(self._messages))

    def before(self, position: int, heard: int) -> list[bytes]:
        """Messages from `heard` on (it must be held) that were said before the event at `position`."""
        said: list[bytes] = []
        for number in range(heard, self.end):
            message = self._at(number)
            if message.after > position:
                break
            said.append(message.data)
        return said

    def place(self, heard: int) -> int | None:
        """How many events come before message `heard`; None if that is not said yet."""
        return self._at(heard).after if heard < self.end else None

    def _at(self, number: int) -> _Message:
        return self._messages[number - self.end]  # from the right: readers are mostly near the end
