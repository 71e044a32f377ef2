"""A subscriber whose connection is cut again and again, and which resumes after the last complete message."""

from __future__ import annotations

import codecs
import math
import re
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream

RETRY_SECONDS = 0.03
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How a connection is read, and where it is cut.

    after      this many bytes of the answer, with its headers
    seconds    or this much time, for streams on which nothing comes
    read_size  bytes that are read at most at once
    reset      cut with RST in place of FIN
    """

    after: int = 2**62
    seconds: float = math.inf
    read_size: int = 65536
    reset: bool = False


NEVER = Cut()


class UnexpectedAnswer(Exception):
    """An answer that a subscriber must never get."""


class _ConnectionCut(Exception):
    """The connection has reached the position of its cut."""


class Follower:
    """Follows one task to its end.

    cuts      returns the cut of the next connection
    on_event  called with the id and the bytes of each message as it comes
    deltas    whether to ask for live-only messages, too

    `split`: reads that ended within a UTF-8 character.
    """

    def __init__(
        self,
        port: int,
        task_id: str,
        key: str,
        cuts: Callable[[], Cut] = lambda: NEVER,
        on_event: Callable[[int, bytes], None] = lambda _id, _message: None,
        deltas: bool = False,
    ) -> None:
        self.task_id = task_id
        self.messages: list[bytes] = []
        self.ids: list[int] = []
        self.connections = 0
        self.cuts = 0
        self.split = 0
        self._port = port
        self._key = key
        self._next_cut = cuts
        self._on_event = on_event
        self._query = "?include=delta" if deltas else ""

    async def run(self) -> None:
        """Returns after the 204 of a finished task. Raises UnexpectedAnswer."""
        while not await self._connect_once():
            pass

    async def _connect_once(self) -> bool:
        """Read one connection to its end or its cut; whether the task is finished."""
        try:
            stream = await anyio.connect_tcp("127.0.0.1", self._port)
        except OSError:
            await anyio.sleep(RETRY_SECONDS)
            return False
        self.connections += 1
        cut = self._next_cut()
        async with stream:
            try:
                with anyio.move_on_after(cut.seconds):
                    return await self._read(stream, cut)
            except (anyio.BrokenResourceError, h11.RemoteProtocolError):
                return False  # the server was killed
            except _ConnectionCut:
                pass
            self.cuts += 1
            if cut.reset:
                _reset(stream)
        return False

    async def _read(self, stream: SocketStream, cut: Cut) -> bool:
        http = h11.Connection(h11.CLIENT)
        await stream.send(self._request(http))
        rest = b""
        async with aclosing(self._events(stream, http, cut)) as events:
            async for event in events:
                if isinstance(event, h11.Response) and event.status_code != 200:
                    return self._is_finished(event)
                if isinstance(event, h11.Data):
                    *whole, rest = (rest + bytes(event.data)).split(b"\n\n")
                    for message in whole:
                        self._record(message + b"\n\n")
        return False

    async def _events(
        self, stream: SocketStream, http: h11.Connection, cut: Cut
    ) -> AsyncGenerator[object, None]:
        """The events of h11. Raises _ConnectionCut."""
        left = cut.after
        while http.their_state not in (h11.DONE, h11.CLOSED):
            event = http.next_event()
            if event is not h11.NEED_DATA:
                yield event
                continue
            if left <= 0:
                raise _ConnectionCut
            data = await _receive(stream, min(cut.read_size, left))
            if not data and http.their_state is h11.SEND_RESPONSE:
                await anyio.sleep(RETRY_SECONDS)  # a proxy has nothing behind it at the moment
            left -= len(data)
            self.split += _ends_within_character(data)
            http.receive_data(data)

    def _request(self, http: h11.Connection) -> bytes:
        headers = [("host", f"127.0.0.1:{self._port}"), ("authorization", f"Bearer {self._key}")]
        if self.ids:
            headers.append(("last-event-id", str(self.ids[-1])))
        target = f"/api/v1/status/{self.task_id}{self._query}"
        request = http.send(h11.Request(method="GET", target=target, headers=headers)) or b""
        return request + (http.send(h11.EndOfMessage()) or b"")

    def _is_finished(self, response: h11.Response) -> bool:
        if response.status_code == 204 and self.ids:
            return True
        raise UnexpectedAnswer(f"task {self.task_id} after {self.ids[-1:]}: {response.status_code}")

    def _record(self, message: bytes) -> None:
        """Comments and live-only messages have no id and do not belong to the sequence."""
        if found := _ID.search(message):
            self.messages.append(message)
            self.ids.append(int(found[1]))
            self._on_event(self.ids[-1], message)


async def _receive(stream: SocketStream, most: int) -> bytes:
    try:
        return await stream.receive(most)
    except anyio.EndOfStream:
        return b""


def _ends_within_character(data: bytes) -> bool:
    """As far as the last bytes show it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data[-4:])
    return bool(decoder.getstate()[0])


def _reset(stream: SocketStream) -> None:
    """With no linger time, close() drops what is unread and sends RST."""
    raw = stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
