"""One task's log as encoded bytes, read by position: readers share it, and none can slow another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio

from gencode.errors import StoreError
from gencode.event import Event, encode, encode_delta
from gencode.hubs.live import Live

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
        self._live = Live()
        self._grown = _Signal()
        self._said = _Signal()

    def publish(self, events: Sequence[Event], over: bool) -> None:
        self._append(events)
        self._note(events[-1].id, over)
        self._wake()

    def live(self, data: Mapping[str, Any]) -> None:
        """Wakes only who listens: tokens come by the hundred each second, and readers may be many."""
        if self.listeners and not self._behind:
            self._live.say(len(self._log), encode_delta(data))
            self._said.send()

    def close(self, farewell: bytes) -> None:
        """Readers get what is left of the log, then the farewell."""
        self._farewell = farewell
        self._wake()

    async def read(self, position: int, deltas: bool) -> AsyncGenerator[bytes, None]:
        """Chunks of whole messages from `position` (events already known) until the log is over.

        Raises StoreError when the store cannot be read; nothing was skipped until then.
        """
        heard = self._live.end
        while True:
            said: list[bytes] = []
            if deltas:
                heard = self._live.held(heard)
                said = self._live.before(position, heard)
            if said:
                heard += len(said)
                yield b"".join(said)
            elif position < len(self._log):
                until = self._live.place(heard) if deltas else None
                chunk, position = self._chunk(position, until or len(self._log))
                yield chunk
            elif self._behind:
                await self._catch_up()
            elif self._over or self._farewell:
                break
            else:
                await (self._said if deltas else self._grown).wait()
        if not self._over:
            yield self._farewell

    @property
    def _behind(self) -> bool:
        return not self._loaded or len(self._log) < self._newest

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

    def _append(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.id == len(self._log) + 1:
                self._log.append(encode(event))

    def _chunk(self, position: int, end: int) -> tuple[bytes, int]:
        size = 0
        stop = position
        while stop < end and size < CHUNK:
            size += len(self._log[stop])
            stop += 1
        return b"".join(self._log[position:stop]), stop

    def _wake(self) -> None:
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
