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

from tests.servers.tcp import tcp_connection, tcp_server
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
        head = await reader.readuntil(b"\r\n\r\n")
        await self._answer(head.decode("latin-1"), reader, writer)

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = head.partition("\r\n")[0].split(" ")
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
        async with tcp_connection(self.targets[where]) as there:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there[1].write(_relative(head, target).encode("latin-1"))
            await join((reader, writer), there)

    def _credentials(self) -> str:
        return f"Basic {b64encode(f'user:{self.password}'.encode()).decode()}"


def _relative(head: str, target: str) -> str:
    """The request as the server itself gets it."""
    method, _, version = head.partition("\r\n")[0].split(" ")
    dropped = ("proxy-", "connection:")
    lines = [line for line in head.split("\r\n")[1:] if not line.lower().startswith(dropped)]
    lines.insert(0, "Connection: close")  # a later request on this connection would be copied unseen
    return "\r\n".join([f"{method} /{target.split('/', 3)[3]} {version}", *lines])


@asynccontextmanager
async def outbound_proxy(targets: Mapping[str, int], password: str = "") -> AsyncIterator[OutboundProxy]:
    proxy = OutboundProxy(targets=targets, password=password)
    async with tcp_server(proxy.handle) as proxy.port:
        yield proxy
