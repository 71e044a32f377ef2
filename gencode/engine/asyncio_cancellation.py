"""Distinguishes the cancellation of a coroutine from a CancelledError that only passes through it."""

from __future__ import annotations

import asyncio


def is_being_cancelled() -> bool:
    """Whether the CancelledError that was just caught cancels this coroutine.

    A future that was cancelled elsewhere raises one, too; if that propagated, it would silently end a loop of
    the service.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
