"""One task's log as encoded bytes, read by position: readers share it, and none can slow another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio

from gencode.domain.errors import StoreError
from gencode.domain.event import Event, encode, encode_delta
from gencode.engine.hub import Sink
from gencode.hub.direct_delivery import Cursor, DirectDelivery
from gencode.hub.live_buffer import LiveBuffer

CHUNK = 64 * 1024
"""Bytes handed to a reader at once: one send for a long replay, yet little held per slow socket."""

Load = Callable[[int], Awaitable[tuple[Sequence[Event], bool]]]
"""The stored events after an id, and whether the task is over with the last of them."""


class Channel:
    """Append-only; event n is at position n - 1. Single-threaded: no await between a check and a wait.

    What is published is appended if it follows the log. Anything else shows that the log is behind the
    store, which is then read: at the start, when events come while the store is being read, and after a
    commit that was reported as failed although it had happened.
    """

    def __init__(self, load: Load) -> None:
        self.readers = 0
        self.listeners = 0
        """Those of the readers that want live messages."""
        self._load = load
        self._loading = anyio.Lock()
        self._loaded = False
        self._log: list[bytes] = []
        self._newest = 0
        self._over = False
        self._farewell = b""
        self._live = LiveBuffer()
        self._quiet, self._listening = DirectDelivery(self._to_the_end), DirectDelivery(self._to_the_end)
        self._grown = _Signal()
        self._said = _Signal()

    # --- what is told -------------------------------------------------------------------------------

    def publish(self, events: Sequence[Event], over: bool) -> None:
        if fresh := self._append(events):
            self._quiet.deliver(fresh)
            self._listening.deliver(fresh)
        self._note(events[-1].id, over)
        self._wake()

    def live(self, data: Mapping[str, Any]) -> None:
        """Wakes only who listens: tokens come by the hundred each second, and readers may be many."""
        if self.listeners and not self._behind:
            message = encode_delta(data)
            self._live.say(len(self._log), message)
            self._listening.deliver(message)
            self._said.send()

    def close(self, farewell: bytes) -> None:
        """Readers get what is left of the log, then the farewell."""
        self._farewell = farewell
        self._wake()

    # --- what is read -------------------------------------------------------------------------------

    def start(self, position: int, deltas: bool) -> Cursor:
        """Where a reader begins that knows so many events."""
        return Cursor(position, self._live.end if deltas else None)

    def read(self, place: Cursor) -> bytes:
        """A chunk of what follows this place, which moves along; empty if nothing does so far."""
        if place.heard is None:
            return self._events(place, len(self._log))
        place.heard = self._live.held(place.heard)
        if said := self._live.before(place.position, place.heard):
            place.heard += len(said)
            return b"".join(said)
        return self._events(place, self._live.place(place.heard) or len(self._log))

    async def more(self, place: Cursor) -> bool:
        """Wait until there may be more to read; False at the end, where `last_words` follow.

        Raises StoreError when the store cannot be read; nothing was skipped until then.
        """
        if self._behind:
            await self._catch_up()
        elif self._over or self._farewell:
            return False
        else:
            await (self._grown if place.heard is None else self._said).wait()
        return True

    @property
    def last_words(self) -> bytes:
        """For who has read it all: when to come back, if the task is not over."""
        return b"" if self._over else self._farewell

    async def attach(self, place: Cursor, take: Sink) -> None:
        """Let publishers hand over what comes, as long as nothing must be read. Raises StoreError."""
        if self._behind:
            await self._catch_up()
        if not (self._behind or self._over or self._farewell or self._is_ahead_of(place)):
            await (self._quiet if place.heard is None else self._listening).join(place, take)

    @property
    def _behind(self) -> bool:
        return not self._loaded or len(self._log) < self._newest

    def _is_ahead_of(self, place: Cursor) -> bool:
        return place.position < len(self._log) or place.heard not in (None, self._live.end)

    def _to_the_end(self, place: Cursor) -> None:
        place.position = len(self._log)
        if place.heard is not None:
            place.heard = self._live.end

    async def _catch_up(self) -> None:
        """One reader reads the store, the others wait for it."""
        async with self._loading:
            if not self._behind:
                return
            newest, known = self._newest, len(self._log)
            stored, over = await self._load(known)
            self._append(stored)
            self._loaded = True
            self._note(stored[-1].id if stored else known, over)
            if len(self._log) < newest:  # never, if publishing comes after committing; else a busy loop
                raise StoreError("the store lacks an event that was published already; reconnect")

    def _note(self, newest: int, over: bool) -> None:
        """A task that was over goes on when it is retried: whoever knows the newest event is right. Of two
        that know the same one, who says "over" has looked later."""
        if newest >= self._newest:
            self._over = over or (self._over and newest == self._newest)
            self._newest = newest

    def _append(self, events: Sequence[Event]) -> bytes:
        """Returns what is new."""
        known = len(self._log)
        for event in events:
            if event.id == len(self._log) + 1:
                self._log.append(encode(event))
        return b"".join(self._log[known:])

    def _events(self, place: Cursor, end: int) -> bytes:
        size, stop = 0, place.position
        while stop < end and size < CHUNK:
            size += len(self._log[stop])
            stop += 1
        chunk = b"".join(self._log[place.position : stop])
        place.position = stop
        return chunk

    def _wake(self) -> None:
        if self._behind or self._over or self._farewell:
            self._quiet.release_all()
            self._listening.release_all()
        self._grown.send()
        self._said.send()


class _Signal:
    """Wakes all who wait at the moment."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def wait(self) -> Awaitable[None]:
        return self._event.wait()

    def send(self) -> None:
        event, self._event = self._event, anyio.Event()
        event.set()
