"""Readers that have all there is: whoever publishes hands them what comes, and no task is woken for it.

Waking and running a task for each reader took four fifths of the time of a delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gencode.engine.hub import Sink


@dataclass(slots=True)
class Cursor:
    """How much of a log a reader has: so many events, and of the live messages all before `heard` (None: it
    wants none)."""

    position: int
    heard: int | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Attachment:
    place: Cursor
    take: Sink
    released: asyncio.Future[None]
    """An anyio.Event would take 900 bytes for each idle reader."""


class DirectDelivery:
    """All who are in step. `to_the_end` moves a place behind all that was handed out."""

    def __init__(self, to_the_end: Callable[[Cursor], None]) -> None:
        self._to_the_end = to_the_end
        self._seats: set[_Attachment] = set()

    async def join(self, place: Cursor, take: Sink) -> None:
        """Until `take` has enough or all are released; the place has moved along by then."""
        seat = _Attachment(place=place, take=take, released=asyncio.get_running_loop().create_future())
        self._seats.add(seat)
        try:
            await seat.released
        finally:
            self._release(seat)

    def deliver(self, chunk: bytes) -> None:
        """Call it once the chunk belongs to what `to_the_end` leaves behind."""
        for seat in [seat for seat in self._seats if not seat.take(chunk)]:
            self._release(seat)

    def release_all(self) -> None:
        for seat in list(self._seats):
            self._release(seat)

    def _release(self, seat: _Attachment) -> None:
        if seat in self._seats:
            self._seats.remove(seat)
            self._to_the_end(seat.place)
        if not seat.released.done():
            seat.released.set_result(None)
