"""A request leaves only while its permission is recent.

Where several workers share a database, the commit before a call proves that the worker has its task. A worker
that is stopped between this commit and the request (SIGSTOP, a paused virtual machine) may have lost the task
when it goes on, and would pay for a call that its successor has paid for.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from gencode.llm.port import OnSend

MAX_AGE = 1.0
"""Seconds between the question and the request. Workers are taken for dead after several seconds only."""
MAX_QUESTIONS = 3
"""In a row, where each answer takes longer than MAX_AGE."""


class SendPermission:
    """Of one call. `ask`: raises if the call must not be made."""

    def __init__(self, ask: OnSend, clock: Callable[[], float] = monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._asked_at: float | None = None

    async def check(self) -> None:
        """Ask, unless it was asked a moment ago: also again if the answer itself took long."""
        for _ in range(MAX_QUESTIONS):
            now = self._clock()
            if self._asked_at is not None and now - self._asked_at <= MAX_AGE:
                return
            await self._ask()
            self._asked_at = now
