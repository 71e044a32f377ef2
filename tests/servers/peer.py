"""A raw TCP server that sends scripted bytes: what no HTTP library would send."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

import anyio
from anyio.abc import SocketAttribute, SocketStream


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
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    served = Peer(port=listener.extra(SocketAttribute.local_port))

    async def serve(stream: SocketStream) -> None:
        number, served.connections = served.connections, served.connections + 1
        async with stream:
            try:
                served.requests.append(await _request(stream))
                await _perform(stream, play(number), served)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
                return

    async with listener, anyio.create_task_group() as tg:
        tg.start_soon(listener.serve, serve)
        try:
            yield served
        finally:
            tg.cancel_scope.cancel()


async def _perform(stream: SocketStream, acts: Iterable[bytes | Act | anyio.Event], served: Peer) -> None:
    for act in acts:
        if isinstance(act, bytes):
            await stream.send(act)
            served.sent += len(act)
        elif act is Act.STALL:
            await stream.receive()
        elif act is Act.RESET:
            _reset(stream)
            return
        else:
            await act.wait()


async def _request(stream: SocketStream) -> bytes:
    """One request: its head, and as much body as content-length announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE)
    missing = (int(length[1]) if length else 0) - len(rest)
    while missing > 0:
        more = await stream.receive()
        data, missing = data + more, missing - len(more)
    return data


def _reset(stream: SocketStream) -> None:
    """With no linger time, close throws away what is unsent and sends RST."""
    raw = stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
