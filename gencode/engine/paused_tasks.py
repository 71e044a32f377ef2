"""Tasks that wait for a person's word, and which of them have waited long enough."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import anyio

from gencode.domain.task import now

NAP = 30.0
"""Seconds between two looks at the wall clock, which may be set; expiry is late by no more than that."""


class PausedTasks:
    """By id only: a held task costs a few hundred bytes here. `clock` gives the moment in UTC."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._changed = anyio.Event()

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._until

    def put(self, task_id: str, until: datetime) -> None:
        self._until[task_id] = until
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def remove(self, task_id: str) -> None:
        self._until.pop(task_id, None)

    async def expired(self) -> str:
        """The next that has waited long enough, once there is one; it stays here until it is removed."""
        while True:
            soonest = min(self._until, key=self._until.__getitem__, default=None)
            wait = (self._until[soonest] - self._clock()).total_seconds() if soonest else NAP
            if soonest and wait <= 0:
                return soonest
            with anyio.move_on_after(min(wait, NAP)):
                await self._changed.wait()
