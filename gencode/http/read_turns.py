"""Answers the short reads of one client one after the other, so that a flood of them delays others by one."""

from __future__ import annotations

from collections import deque

import anyio

MAX_WAIT = 0.05
"""Seconds after which a read goes ahead: another one of its client may take long."""


class ReadTurns:
    """Of each key, one holder at a time, in the order of the calls. Without contention it costs a look-up."""

    def __init__(self, max_wait: float = MAX_WAIT) -> None:
        self._max_wait = max_wait
        self._waiting: dict[str, deque[anyio.Event]] = {}

    async def wait(self, key: str) -> Turn:
        """A turn, to be ended when the response begins."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return Turn(self, key)
        called = anyio.Event()
        waiting.append(called)
        try:
            with anyio.move_on_after(self._max_wait):
                await called.wait()
                return Turn(self, key)
        except BaseException:
            if called.is_set():
                self.end(key)
            raise
        finally:
            if not called.is_set():
                waiting.remove(called)
        return Turn(None, key)

    def end(self, key: str) -> None:
        """The next one's turn."""
        waiting = self._waiting[key]
        if waiting:
            waiting.popleft().set()
        else:
            del self._waiting[key]


class Turn:
    """A turn that ends once."""

    def __init__(self, turns: ReadTurns | None, key: str) -> None:
        self._turns = turns
        self._key = key

    def end(self) -> None:
        turns, self._turns = self._turns, None
        if turns:
            turns.end(self._key)
