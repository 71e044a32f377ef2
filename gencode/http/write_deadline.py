"""The deadline for a client to receive what was written: renewed whenever it receives any bytes."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from collections.abc import Callable

CHECKS = 4
"""The number of checks for progress within the deadline."""


class WriteDeadline:
    """Calls `abort` if the client receives nothing for `seconds`.

    unsent   returns the number of bytes that the client has not yet received
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        unsent: Callable[[], int],
        abort: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._unsent = unsent
        self._abort = abort
        self._left = unsent()
        self._at = loop.time() + seconds
        self._timer = self._next_check()

    def end_within(self, seconds: float) -> None:
        """Replaces the deadline by one of at most `seconds`, which is not renewed."""
        self._timer.cancel()
        self._timer = self._loop.call_later(min(seconds, self._seconds), self._abort)

    def cancel(self) -> None:
        self._timer.cancel()

    def _next_check(self) -> asyncio.TimerHandle:
        return self._loop.call_later(self._seconds / CHECKS, self._check)

    def _check(self) -> None:
        left = self._unsent()
        if left < self._left:
            self._at = self._loop.time() + self._seconds
        self._left = left
        if self._loop.time() >= self._at:
            self._abort()
        else:
            self._timer = self._next_check()


def unsent_bytes(transport: asyncio.Transport) -> int:
    """What was written and the client's machine has not acknowledged: here and in the kernel's buffer, from
    which bytes go out long before the buffer accepts more."""
    try:
        descriptor = transport.get_extra_info("socket").fileno()
        queued = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, AttributeError):  # closed, or no socket of this kernel
        queued = b""
    return transport.get_write_buffer_size() + int.from_bytes(queued, sys.byteorder)
