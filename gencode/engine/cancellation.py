"""Tells a cancellation of a coroutine from a CancelledError that only passes through it."""

from __future__ import annotations

import asyncio


def is_being_cancelled() -> bool:
    """Whether the CancelledError that was just caught is meant for this coroutine.

    The error of a future that somebody else cancelled is not; let through, it would end a loop of the service
    silently.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
