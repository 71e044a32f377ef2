"""Runs operations on tasks that go on when their callers are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from gencode.domain.errors import Conflict
from gencode.domain.task import Task

Operation = Callable[[], Coroutine[Any, Any, Task]]

GRACE = 2.0
"""Seconds that running operations may take to end when the service stops. The next process reads what they
have stored by then."""
MAX_CONFLICTS = 5
"""How often an operation is repeated after a Conflict."""


class ShieldedOperations:
    """Each operation is a retry, an approval, a change or a cancellation of one task."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Task]] = set()

    async def run(self, operation: Operation) -> Task:
        """Await the operation, which goes on when this caller is cancelled. Raises what it raises.

        anyio's shield does not hold against asyncio's `Task.cancel`, which a host's timeout middleware uses.
        """
        running = asyncio.ensure_future(_repeat_after_conflict(operation))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return await asyncio.shield(running)

    async def finish(self) -> None:
        """Operations whose callers were cancelled end before the store closes; one that waits for the store
        does not delay the stop."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GRACE)
            for operation in late:
                operation.cancel()


async def _repeat_after_conflict(operation: Operation) -> Task:
    """After a Conflict the operation reads the task again and is repeated."""
    for _ in range(MAX_CONFLICTS):
        with suppress(Conflict):
            return await operation()
    return await operation()
