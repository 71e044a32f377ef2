"""One task's log as encoded bytes, read by position: subscribers share the bytes, and none delays another.

A channel holds the newest part of the log, its window. Stored events are loaded into it a page at a time, as
soon as one subscriber has sent what it has; a subscriber that falls behind the window reads pages of its own.
So neither a long log nor a client that does not read costs memory. (Without it, 200 clients that did not
read took 2.3 GB.)

A subscriber that has read everything can attach a sink: publishers then write to it synchronously, and no
coroutine is woken for it. Waking a coroutine for each subscriber took four fifths of the time of a delivery.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import anyio

from gencode.domain.errors import StoreError
from gencode.domain.event import Event, encode, encode_delta
from gencode.engine.ports.hub import Sink

CHUNK = 64 * 1024
"""Bytes returned to a subscriber at once: one send for a long replay, yet little memory per slow socket."""
LIVE_MESSAGES = 2048
"""Live messages held for subscribers that lag; older ones are lost (none is stored)."""

STORE_INTERVAL = 0.1
"""Seconds until a store that failed is read again."""
WINDOW = 256 * 1024
"""Bytes of the log that a channel holds, besides the page or the publication that came last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Stored events that follow an id.

    is_last    no other event is stored
    is_final   the task is over with the last of them
    """

    events: Sequence[Event]
    is_last: bool
    is_final: bool


Load = Callable[[int], Awaitable[Page]]
"""The page after an id."""


@dataclass(slots=True)
class Cursor:
    """A subscriber's position: how many events it has, and of the live messages all before number `live`
    (None: it receives none). `own`: events that follow the position, for a subscriber before the window."""

    position: int
    live: int | None
    own: Sequence[bytes] = ()


class TaskChannel:
    """Event n is at position n - 1. Single-threaded: no await between a check and a wait.

    Published events are appended if they follow the window. Anything else shows that the channel lags the
    store, which is then read: at the start, when events are published while the store is being read, and
    after a commit that was stored although it had raised.

    subscribers       all of them
    live_subscribers  those of them that want live messages
    store_timeout     seconds for which the store may fail, or lack events that were published already (a
                      replica is late), before readers get StoreError
    """

    def __init__(self, load: Load, store_timeout: float = 0.0) -> None:
        self.subscribers = 0
        self.live_subscribers = 0
        self._load = load
        self._store_timeout = store_timeout
        self._loading = anyio.Lock()
        self._is_loaded = False
        self._first = 0
        """Events before the window."""
        self._window: list[bytes] = []
        self._size = 0
        self._newest = 0
        self._is_final = False
        self._closing_message = b""
        self._live = _LiveBuffer()
        self._attached = _Attachments(self._move_to_end)
        self._attached_live = _Attachments(self._move_to_end)
        self._event_arrived = _Signal()
        self._message_arrived = _Signal()

    # --- publishing ---------------------------------------------------------------------------------

    def publish(self, events: Sequence[Event], is_final: bool) -> None:
        if new := self._append(events):
            self._attached.write(new)
            self._attached_live.write(new)
        self._update_newest(events[-1].id, is_final)
        self._wake()

    def publish_live(self, data: Mapping[str, Any]) -> None:
        """Notifies only subscribers with `live`: there are hundreds of tokens each second."""
        if self.live_subscribers and not self._is_behind:
            message = encode_delta(data)
            self._live.append(self._end, message)
            self._attached_live.write(message)
            self._message_arrived.send()

    def announce(self, newest: int, is_final: bool, messages: Sequence[bytes] = ()) -> None:
        """Another process has published the event `newest`. `messages`: the encoded events up to it; unless
        they follow the window, the store is read."""
        known = self._newest, self._is_final
        if 0 < (missing := newest - self._end) <= len(messages):
            chunk = self._extend_window(messages[-missing:])
            self._attached.write(chunk)
            self._attached_live.write(chunk)
        self._update_newest(newest, is_final)
        if known != (self._newest, self._is_final):
            self._wake()

    def announce_live(self, newest: int, message: bytes) -> None:
        """A live message of another process, which had published the event `newest` before. Subscribers that
        are past that event get it at once."""
        if not self.live_subscribers:
            return
        self.announce(newest, is_final=False)  # releases sinks if the event is missing here
        self._live.append(newest, message)
        self._attached_live.write(message)
        self._message_arrived.send()

    def close(self, message: bytes) -> None:
        """Subscribers get what is left of the log, then `message`."""
        self._closing_message = message
        self._wake()

    # --- reading ------------------------------------------------------------------------------------

    def cursor(self, position: int, live: bool) -> Cursor:
        """A cursor for a new subscriber that already has this many events."""
        if not (self._is_loaded or self._end):
            self._first = position
        return Cursor(position, self._live.end if live else None)

    def read(self, cursor: Cursor) -> bytes:
        """A chunk of what follows the cursor, which is advanced; empty if nothing does yet."""
        if cursor.live is None:
            return self._read_events(cursor, self._end)
        cursor.live = self._live.first_held(cursor.live)
        if messages := self._live.before(cursor.position, cursor.live):
            cursor.live += len(messages)
            return b"".join(messages)
        return self._read_events(cursor, self._live.position(cursor.live) or self._end)

    async def wait(self, cursor: Cursor) -> bool:
        """Wait until there may be more to read; False at the end, where `last_message` follows.

        Raises StoreError when the store cannot be read; nothing was skipped until then.
        """
        if cursor.position < self._first:
            await self._load_own(cursor)
        elif self._is_behind:
            await self._catch_up(cursor)
        elif self._is_final or self._closing_message:
            return False
        else:
            await (self._event_arrived if cursor.live is None else self._message_arrived).wait()
        return True

    @property
    def last_message(self) -> bytes:
        """The message that ends a stream: when to reconnect; empty if the task is over."""
        return b"" if self._is_final else self._closing_message

    async def load(self, cursor: Cursor) -> None:
        """A page of the store, if the cursor needs one now. Raises StoreError."""
        if cursor.position < self._first and not cursor.own:
            await self._load_own(cursor)
        elif self._is_behind:
            await self._catch_up(cursor)

    async def attach(self, cursor: Cursor, sink: Sink) -> None:
        """Let publishers write to the sink for as long as nothing must be read. Raises StoreError."""
        if self._is_behind:
            await self._catch_up(cursor)
        if self._is_level_with(cursor) and not (self._is_behind or self._is_final or self._closing_message):
            await (self._attached if cursor.live is None else self._attached_live).add(cursor, sink)

    # --- the log ------------------------------------------------------------------------------------

    @property
    def _end(self) -> int:
        """The position after the last event of the window."""
        return self._first + len(self._window)

    @property
    def _is_behind(self) -> bool:
        return not self._is_loaded or self._end < self._newest

    def _is_level_with(self, cursor: Cursor) -> bool:
        """False also for a subscriber that is ahead of it, with an event that was stored and not
        published."""
        return cursor.position == self._end and cursor.live in (None, self._live.end)

    def _move_to_end(self, cursor: Cursor) -> None:
        cursor.position, cursor.own = self._end, ()
        if cursor.live is not None:
            cursor.live = self._live.end

    async def _catch_up(self, cursor: Cursor) -> None:
        """One subscriber reads a page of the store, the others wait for it."""
        async with self._loading:
            if not self._is_behind or cursor.position < self._end:
                return
            end = self._end
            page = await self._read_store(end, self._newest)
            self._append(page.events)
            if page.is_last:
                self._is_loaded = True
                self._update_newest(page.events[-1].id if page.events else end, page.is_final)

    async def _load_own(self, cursor: Cursor) -> None:
        page = await self._read_store(cursor.position, cursor.position + 1)
        cursor.own = [encode(event) for event in page.events]

    async def _read_store(self, after: int, newest: int) -> Page:
        """The page after an id, once the store has the event `newest`."""
        end = time.monotonic() + self._store_timeout
        while True:
            try:
                page = await self._load(after)
                if not page.is_last or newest <= (page.events[-1].id if page.events else after):
                    return page
                raise StoreError("the store lacks an event that was published already; reconnect")
            except StoreError:
                if time.monotonic() >= end or self._closing_message:
                    raise
            await anyio.sleep(STORE_INTERVAL)

    def _update_newest(self, newest: int, is_final: bool) -> None:
        """The report with the newest event is right: a finished task may be retried. Of two with the same
        event, the one with `is_final` is the later."""
        if newest >= self._newest:
            self._is_final = is_final or (self._is_final and newest == self._newest)
            self._newest = newest

    def _append(self, events: Sequence[Event]) -> bytes:
        """Append the events that are new; returns them encoded and joined."""
        first = self._end + 1
        new = [encode(event) for event in events if event.id >= first]
        return self._extend_window(new) if new and events[-1].id == self._end + len(new) else b""

    def _extend_window(self, messages: Sequence[bytes]) -> bytes:
        """Append encoded messages to the window; returns them joined."""
        self._shorten_window()
        self._window += messages
        chunk = b"".join(messages)
        self._size += len(chunk)
        return chunk

    def _shorten_window(self) -> None:
        """Shorten the window to half of its limit: removing event by event would move the rest each time."""
        if self._size <= WINDOW:
            return
        cut = 0
        while self._size > WINDOW // 2 and cut < len(self._window):
            self._size -= len(self._window[cut])
            cut += 1
        del self._window[:cut]
        self._first += cut

    def _read_events(self, cursor: Cursor, end: int) -> bytes:
        """Encoded events from the window, or from the page that the subscriber has loaded for itself."""
        is_behind_window = cursor.position < self._first
        events, start = (cursor.own, 0) if is_behind_window else (self._window, cursor.position - self._first)
        size, stop = 0, start
        most = start + end - cursor.position
        while stop < min(len(events), most) and size < CHUNK:
            size += len(events[stop])
            stop += 1
        cursor.position += stop - start
        cursor.own = cursor.own[stop:] if is_behind_window else ()
        return b"".join(events[start:stop])

    def _wake(self) -> None:
        if self._is_behind or self._is_final or self._closing_message:
            self._attached.release_all()
            self._attached_live.release_all()
        self._event_arrived.send()
        self._message_arrived.send()


class _LiveMessage(NamedTuple):
    after: int
    """How many events had been published before it."""
    data: bytes


class _LiveBuffer:
    """The newest live messages, numbered 0, 1, 2, ... as they are published; `end` is the next number."""

    def __init__(self) -> None:
        self.end = 0
        self._messages: deque[_LiveMessage] = deque(maxlen=LIVE_MESSAGES)

    def append(self, after: int, data: bytes) -> None:
        self._messages.append(_LiveMessage(after, data))
        self.end += 1

    def first_held(self, number: int) -> int:
        """The first number from `number` on that is still held."""
        return max(number, self.end - len(self._messages))

    def before(self, position: int, number: int) -> list[bytes]:
        """Messages from `number` on (it must be held) that were published before the event at `position`."""
        found: list[bytes] = []
        for n in range(number, self.end):
            message = self._at(n)
            if message.after > position:
                break
            found.append(message.data)
        return found

    def position(self, number: int) -> int | None:
        """How many events come before message `number`; None if it is not published yet."""
        return self._at(number).after if number < self.end else None

    def _at(self, number: int) -> _LiveMessage:
        return self._messages[number - self.end]  # from the right: subscribers are mostly near the end


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Attachment:
    cursor: Cursor
    sink: Sink
    released: asyncio.Future[None]
    """An anyio.Event would take 900 bytes for each idle subscriber."""


class _Attachments:
    """Caught-up subscribers, written synchronously.

    move_to_end   moves a cursor past all that was written
    """

    def __init__(self, move_to_end: Callable[[Cursor], None]) -> None:
        self._move_to_end = move_to_end
        self._attachments: set[_Attachment] = set()

    async def add(self, cursor: Cursor, sink: Sink) -> None:
        """Waits until the sink returns False or all are released; the cursor is advanced by then."""
        released = asyncio.get_running_loop().create_future()
        attachment = _Attachment(cursor=cursor, sink=sink, released=released)
        self._attachments.add(attachment)
        try:
            await released
        finally:
            self._release(attachment)

    def write(self, chunk: bytes) -> None:
        """Write to all sinks. Call it once the chunk belongs to what `move_to_end` skips."""
        for attachment in [one for one in self._attachments if not one.sink(chunk)]:
            self._release(attachment)

    def release_all(self) -> None:
        for attachment in list(self._attachments):
            self._release(attachment)

    def _release(self, attachment: _Attachment) -> None:
        if attachment in self._attachments:
            self._attachments.remove(attachment)
            self._move_to_end(attachment.cursor)
        if not attachment.released.done():
            attachment.released.set_result(None)


class _Signal:
    """Wakes all current waiters."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def wait(self) -> Awaitable[None]:
        return self._event.wait()

    def send(self) -> None:
        event, self._event = self._event, anyio.Event()
        event.set()
