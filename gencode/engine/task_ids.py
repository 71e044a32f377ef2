"""Task ids: UUIDv7 (RFC 9562), so that ids sort by their time of creation."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime


class IdSource:
    """Returns strictly increasing ids, also within one millisecond and when the clock is set back.

    `clock` returns nanoseconds since 1970. Not thread-safe.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._millisecond = -1
        self._tail = 0

    def __call__(self) -> str:
        """The next id in canonical form: 36 characters, lower case."""
        millisecond = self._clock() // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond, self._tail = millisecond, secrets.randbits(73)
        else:
            # The tail has 74 bits and starts with the top one clear: enough for 2**41 steps in a millisecond.
            self._tail += 1 + secrets.randbits(32)
        return _text(self._millisecond, self._tail)


def earliest_id(at: datetime) -> str:
    """The smallest id of this time: ids that are made at this time or later do not sort before it."""
    return _text(max(int(at.timestamp() * 1000), 0), 0)


def _text(millisecond: int, tail: int) -> str:
    """48 bits of time, version 7, 12 bits of the tail, variant 0b10, its other 62 bits."""
    high, low = tail >> 62, tail & (1 << 62) - 1
    digits = f"{millisecond << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


new_id = IdSource()
"""The id source of the process. It is the only module-level state of this package, because ids must increase
within the *process*."""
