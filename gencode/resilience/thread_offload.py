"""Runs functions on long texts in a worker thread, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

LONG_TEXT = 50_000
"""Characters; a function on a longer text would block the event loop."""
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("long_texts")


async def run_on_text(size: int, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """What a function makes of a text with `size` characters.

    Of threads that hold the interpreter lock, each makes the event loop wait as often: eight readers of long
    texts would delay every request eight times as long. So there is one. A caller that is cancelled waits for
    its end.
    """
    if size <= LONG_TEXT:
        return function(*arguments)
    return await anyio.to_thread.run_sync(function, *arguments, limiter=_limiter_of_loop())


def _limiter_of_loop() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _limiter.set(limiter)
        return limiter
