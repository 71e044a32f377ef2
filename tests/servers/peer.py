"""A raw TCP server that sends scripted bytes: what no HTTP library would send."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import anyio

from tests.servers.tcp import Connection, tcp_server


class Act(Enum):
    STALL = "send nothing more until the client disconnects"
    RESET = "close the connection with a TCP reset"


Play = Callable[[int], Iterable[bytes | Act | anyio.Event]]
"""What to do on the n-th connection (from 0): send bytes, wait for an event, or end with an act.
After the last item the connection is closed in order."""


@dataclass
class Peer:
    """`requests`: the bytes of each; `connections` so far; `sent`: bytes to all connections."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    sent: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def peer(play: Play) -> AsyncIterator[Peer]:
    """Serve `play` on a free port of 127.0.0.1; leaving the block closes all connections."""
    served = Peer(port=0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, served.connections = served.connections, served.connections + 1
        writer.transport.set_write_buffer_limits(0)
        served.requests.append(await _request(reader))
        await _perform((reader, writer), play(number), served)

    async with tcp_server(serve) as served.port:
        yield served


async def _perform(connection: Connection, acts: Iterable[bytes | Act | anyio.Event], served: Peer) -> None:
    reader, writer = connection
    for act in acts:
        if isinstance(act, bytes):
            writer.write(act)
            await writer.drain()
            served.sent += len(act)
        elif act is Act.STALL:
            await reader.read(1)
        elif act is Act.RESET:
            _reset(writer)
            return
        else:
            await act.wait()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One request: its head, and as much body as content-length announces."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    """With no linger time, close throws away what is unsent and sends RST."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
