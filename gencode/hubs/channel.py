"""One task's log as encoded bytes, read by position: readers share it, and none can slow another."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

import anyio

from gencode.event import Event, encode

CHUNK = 64 * 1024
"""Bytes handed to a reader at once: one send for a long replay, yet little held per slow socket."""
LIVE = 2048
"""Live messages held for readers that are a little behind; older ones are gone (they are never stored)."""


class _Live(NamedTuple):
    after: int
    """How many events had been published when this was said: its place among them."""
    data: bytes


class Channel:
    """Append-only; event n is at position n - 1. Single-threaded: no await between a check and a wait."""

    def __init__(self) -> None:
        self.loading = anyio.Lock()
        self.loaded = False
        self.readers = 0
        self._log: list[bytes] = []
        self._early: list[Event] = []
        self._live: deque[_Live] = deque(maxlen=LIVE)
        self._live_end = 0
        self._over = False
        self._farewell = b""
        self._changed = anyio.Event()

    def load(self, stored: Sequence[Event], over: bool) -> None:
        """The stored log, once; what was published while it was being read follows, each event once."""
        self.loaded = True
        self.append([*stored, *self._early], self._over or over)
        self._early.clear()

    def append(self, events: Sequence[Event], over: bool) -> None:
        if self.loaded:
            self._log.extend(encode(event) for event in events if event.id > len(self._log))
        else:
            self._early.extend(events)
        self._over = over
        self._wake()

    def live(self, data: bytes) -> None:
        self._live.append(_Live(len(self._log), data))
        self._live_end += 1
        self._wake()

    def close(self, farewell: bytes) -> None:
        self._farewell = farewell
        self._wake()

    async def read(self, position: int, deltas: bool) -> AsyncGenerator[bytes, None]:
        """Chunks of whole messages from `position` (events already known) until the log is over."""
        heard = self._live_end
        while True:
            heard = max(heard, self._live_end - len(self._live))
            if deltas and (said := self._live_since(heard, position)):
                heard += len(said)
                yield b"".join(said)
            elif position < len(self._log):
                end = self._next_live(heard) if deltas else len(self._log)
                chunk, position = self._chunk(position, max(end, position + 1))
                yield chunk
            elif self._over or self._farewell:
                break
            else:
                await self._changed.wait()
        if not self._over:
            yield self._farewell

    def _chunk(self, position: int, end: int) -> tuple[bytes, int]:
        size = 0
        stop = position
        while stop < end and size < CHUNK:
            size += len(self._log[stop])
            stop += 1
        return b"".join(self._log[position:stop]), stop

    def _live_since(self, heard: int, position: int) -> list[bytes]:
        """Live messages not yet heard that were said before the event at `position`."""
        first = self._live_end - len(self._live)
        unheard = list(self._live)[max(heard - first, 0) :]
        return [message.data for message in unheard if message.after <= position]

    def _next_live(self, heard: int) -> int:
        """The position of the event after which the next unheard live message was said."""
        first = self._live_end - len(self._live)
        unheard = list(self._live)[max(heard - first, 0) :]
        return unheard[0].after if unheard else len(self._log)

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
