"""A raw TCP client: sends what no HTTP library would, and when the test wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import h11
from anyio.abc import SocketStream

from tests.servers.service import urls_behind


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """One connection."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._parser = h11.Connection(h11.CLIENT)

    async def send(self, data: bytes | str) -> None:
        await self._stream.send(data.encode() if isinstance(data, str) else data)

    async def answer(self) -> Answer:
        """The next complete answer; parsed by h11 as the answer to a GET."""
        if self._parser.our_state is h11.DONE:
            self._parser.start_next_cycle()
        self._parser.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        self._parser.send(h11.EndOfMessage())
        head, body = await self._next(), b""
        assert isinstance(head, h11.Response)
        while isinstance(part := await self._next(), h11.Data):
            body += part.data
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return Answer(status=head.status_code, headers=headers, body=body)

    async def rest(self) -> bytes:
        """The bytes until the server closes the connection, in whichever way."""
        received = b""
        try:
            async for part in self._stream:
                received += part
        except anyio.BrokenResourceError:
            pass
        return received

    async def close(self) -> None:
        await self._stream.aclose()

    async def _next(self) -> object:
        while (event := self._parser.next_event()) is h11.NEED_DATA:
            self._parser.receive_data(await self.received())
        return event

    async def received(self) -> bytes:
        """Some bytes, as they come; empty at the end."""
        try:
            return await self._stream.receive()
        except anyio.EndOfStream:
            return b""


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    """Of several processes behind a proxy, which answers such requests itself, the first one."""
    first = int(urls_behind(f"http://127.0.0.1:{port}")[0].rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", first) as stream:
        yield Raw(stream)
