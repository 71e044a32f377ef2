"""A forward proxy: CONNECT, and plain HTTP by absolute URLs, with or without a password.

async with outbound_proxy({"git.example.com:443": port}) as proxy:      # ports of servers on loopback
    ... OUTBOUND_PROXY=proxy.url ...
    assert proxy.asked == ["CONNECT git.example.com:443"]
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.servers.tls import join


@dataclass(kw_only=True)
class OutboundProxy:
    """targets   the port on loopback for each `host:port`; others are refused with 403
    password  of the user `user`; "" if none is needed
    asked     method and target of each request, in the order of arrival
    """

    targets: Mapping[str, int]
    password: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        user = f"user:{self.password}@" if self.password else ""
        return f"http://{user}127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head.decode("latin-1"), reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, version = head.partition("\r\n")[0].split(" ")
        self.asked.append(f"{method} {target}")
        if self.password and self._credentials() not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        where = (
            target if method == "CONNECT" else f"{urlsplit(target).hostname}:{urlsplit(target).port or 80}"
        )
        if where not in self.targets:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        there = await asyncio.open_connection("127.0.0.1", self.targets[where])
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = target.split("/", 3)[3]
            dropped = ("proxy-", "connection:")
            lines = [line for line in head.split("\r\n")[1:] if not line.lower().startswith(dropped)]
            lines.insert(0, "Connection: close")  # a later request on this connection would be copied unseen
            there[1].write("\r\n".join([f"{method} /{path} {version}", *lines]).encode("latin-1"))
        await join((reader, writer), there)

    def _credentials(self) -> str:
        return f"Basic {b64encode(f'user:{self.password}'.encode()).decode()}"


@asynccontextmanager
async def outbound_proxy(targets: Mapping[str, int], password: str = "") -> AsyncIterator[OutboundProxy]:
    proxy = OutboundProxy(targets=targets, password=password)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
