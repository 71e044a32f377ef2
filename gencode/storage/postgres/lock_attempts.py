"""Takes a lock that a process which has just ended may still hold: the server notices the end late."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from gencode.resilience.retry import Sleep

ATTEMPTS = 20
PAUSE = 0.1
"""Seconds between two attempts. Waiting in the queue of the server would hold up others."""


async def acquired(attempt: Callable[[], Awaitable[bool]], sleep: Sleep = anyio.sleep) -> bool:
    """Whether one of ATTEMPTS attempts took the lock."""
    for number in range(ATTEMPTS):
        if number:
            await sleep(PAUSE)
        if await attempt():
            return True
    return False
