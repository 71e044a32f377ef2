"""A subscriber that loses its connection time and again, and always goes on after the last whole message."""

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
    """How a connection is read and where it ends.

    after   bytes of the answer, headers and all
    within  seconds, for streams on which nothing comes
    step    most bytes read at once
    reset   by RST in place of FIN
    """

    after: int = 2**62
    within: float = math.inf
    step: int = 65536
    reset: bool = False


NEVER = Cut()


class Refused(Exception):
    """An answer that this subscriber must never get."""


class _CutOff(Exception):
    """The connection has met its fate."""


class Follower:
    """Follows one task to its end.

    cuts    gives the fate of each connection
    heard   called with the id of each message as it comes
    deltas  whether to ask for live-only messages, too

    `split`: reads that ended within a UTF-8 character.
    """

    def __init__(
        self,
        port: int,
        task_id: str,
        key: str,
        cuts: Callable[[], Cut] = lambda: NEVER,
        heard: Callable[[int, bytes], None] = lambda _id, _message: None,
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
        self._fate = cuts
        self._heard = heard
        self._query = "?include=delta" if deltas else ""

    async def run(self) -> None:
        """Returns after the 204 that says that nothing follows. Raises Refused."""
        while not await self._listen():
            pass

    async def _listen(self) -> bool:
        """One connection; whether the task is over."""
        try:
            stream = await anyio.connect_tcp("127.0.0.1", self._port)
        except OSError:
            await anyio.sleep(RETRY_SECONDS)
            return False
        self.connections += 1
        cut = self._fate()
        async with stream:
            try:
                with anyio.move_on_after(cut.within):
                    return await self._read(stream, cut)
            except (anyio.BrokenResourceError, h11.RemoteProtocolError):
                return False  # the server died
            except _CutOff:
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
                    return self._over(event)
                if isinstance(event, h11.Data):
                    *whole, rest = (rest + bytes(event.data)).split(b"\n\n")
                    for message in whole:
                        self._take(message + b"\n\n")
        return False

    async def _events(
        self, stream: SocketStream, http: h11.Connection, cut: Cut
    ) -> AsyncGenerator[object, None]:
        """What the server says. Raises _CutOff."""
        left = cut.after
        while http.their_state not in (h11.DONE, h11.CLOSED):
            event = http.next_event()
            if event is not h11.NEED_DATA:
                yield event
                continue
            if left <= 0:
                raise _CutOff
            data = await _receive(stream, min(cut.step, left))
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

    def _over(self, response: h11.Response) -> bool:
        if response.status_code == 204 and self.ids:
            return True
        raise Refused(f"task {self.task_id} after {self.ids[-1:]}: {response.status_code}")

    def _take(self, message: bytes) -> None:
        """Comments and live-only messages have no id and are no part of the sequence."""
        if found := _ID.search(message):
            self.messages.append(message)
            self.ids.append(int(found[1]))
            self._heard(self.ids[-1], message)


async def _receive(stream: SocketStream, most: int) -> bytes:
    try:
        return await stream.receive(most)
    except anyio.EndOfStream:
        return b""


def _ends_within_character(data: bytes) -> bool:
    """As far as its last bytes tell."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data[-4:])
    return bool(decoder.getstate()[0])


def _reset(stream: SocketStream) -> None:
    """With no linger time, closing throws away what is unread and sends RST."""
    raw = stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
