"""A subscriber that loses its connection time and again, and always goes on after the last whole message."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream

RETRY_SECONDS = 0.02
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
_WHOLE = 65536


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where and how a connection ends: after so many bytes of it, read in steps of `step`, maybe by RST."""

    after: int
    step: int
    reset: bool


NEVER = Cut(after=2**62, step=_WHOLE, reset=False)


class Refused(Exception):
    """An answer that this subscriber must never get."""


class _CutOff(Exception):
    """The connection has met its fate."""


class Follower:
    """Follows one task to its end.

    cuts   gives the fate of each connection
    heard  called with the id of each message as it comes
    """

    def __init__(
        self,
        port: int,
        task_id: str,
        key: str,
        cuts: Callable[[], Cut] = lambda: NEVER,
        heard: Callable[[int, bytes], None] = lambda _id, _message: None,
    ) -> None:
        self.task_id = task_id
        self.messages: list[bytes] = []
        self.ids: list[int] = []
        self.connections = 0
        self.cuts = 0
        self._port = port
        self._key = key
        self._fate = cuts
        self._heard = heard

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
        async with stream:
            try:
                return await self._read(stream, self._fate())
            except _CutOff:
                self.cuts += 1
            except (anyio.BrokenResourceError, h11.RemoteProtocolError):
                pass  # the server died
        return False

    async def _read(self, stream: SocketStream, cut: Cut) -> bool:
        http = h11.Connection(h11.CLIENT)
        await stream.send(self._request(http))
        rest = b""
        async with aclosing(_events(stream, http, cut)) as events:
            async for event in events:
                if isinstance(event, h11.Response) and event.status_code != 200:
                    return self._over(event)
                if isinstance(event, h11.Data):
                    *whole, rest = (rest + bytes(event.data)).split(b"\n\n")
                    for message in whole:
                        self._take(message + b"\n\n")
        return False

    def _request(self, http: h11.Connection) -> bytes:
        headers = [("host", f"127.0.0.1:{self._port}"), ("authorization", f"Bearer {self._key}")]
        if self.ids:
            headers.append(("last-event-id", str(self.ids[-1])))
        target = f"/api/v1/status/{self.task_id}"
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


async def _events(stream: SocketStream, http: h11.Connection, cut: Cut) -> AsyncGenerator[object, None]:
    """What the server says. Raises _CutOff."""
    left = cut.after
    while http.their_state not in (h11.DONE, h11.CLOSED):
        event = http.next_event()
        if event is not h11.NEED_DATA:
            yield event
            continue
        if left <= 0:
            if cut.reset:
                _reset(stream)
            raise _CutOff
        data = await _receive(stream, min(cut.step, left))
        left -= len(data)
        http.receive_data(data)


async def _receive(stream: SocketStream, most: int) -> bytes:
    try:
        return await stream.receive(most)
    except anyio.EndOfStream:
        return b""


def _reset(stream: SocketStream) -> None:
    """With no linger time, closing throws away what is unread and sends RST."""
    raw = stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
