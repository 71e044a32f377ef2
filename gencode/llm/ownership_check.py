"""Checks immediately before a model call that the worker still owns its task.

Where several workers share a database, the commit before a call proves that the worker owns its task. A
worker that is stopped between this commit and the request (SIGSTOP, a paused virtual machine) may have lost
the task by the time it resumes, and would pay for a call that the task's new owner has already paid for.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from gencode.llm.port import OnSend

MAX_AGE = 1.0
"""Seconds between the check and the request. Workers are declared dead after several seconds only."""
MAX_CHECKS = 3
"""Consecutive checks, each of which took longer than MAX_AGE."""


class OwnershipCheck:
    """The check for one call. `verify`: raises if the worker no longer owns the task."""

    def __init__(self, verify: OnSend, clock: Callable[[], float] = monotonic) -> None:
        self._verify = verify
        self._clock = clock
        self._verified_at: float | None = None

    async def check(self) -> None:
        """Verify, unless the last check is at most MAX_AGE old; repeated if the check itself took longer."""
        for _ in range(MAX_CHECKS):
            now = self._clock()
            if self._verified_at is not None and now - self._verified_at <= MAX_AGE:
                return
            await self._verify()
            self._verified_at = now
