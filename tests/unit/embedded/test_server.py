"""Servers inside the event loop of another application."""

from __future__ import annotations

import asyncio
import socket

import anyio
import pytest
from starlette.applications import Starlette

from gencode.embedded.server import EmbeddedServer, listen, serve


async def fail_while_it_serves(sock: socket.socket) -> None:
    host, port = sock.getsockname()[:2]
    async with serve(Starlette(), sock):
        async with await anyio.connect_tcp(host, port) as stream:
            await stream.send(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert await stream.receive(), "it serves"
        raise ValueError


async def test_a_server_whose_block_fails_leaves_no_socket_in_the_event_loop() -> None:
    """Else connections of the host application that get the same descriptor hang."""
    sock = listen()
    number = sock.fileno()
    with pytest.raises(ExceptionGroup):
        await fail_while_it_serves(sock)
    assert not asyncio.get_running_loop().remove_reader(number)


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_arrives_while_the_server_stops_is_closed(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """In whichever turn of the event loop."""
    clients: list[socket.socket] = []
    shutdown = EmbeddedServer.shutdown

    async def connect_and_shut_down(
        server: EmbeddedServer, sockets: list[socket.socket] | None = None
    ) -> None:
        clients.append(socket.create_connection(sock.getsockname()))
        for _ in range(turns):
            await asyncio.sleep(0)
        await shutdown(server, sockets)

    monkeypatch.setattr(EmbeddedServer, "shutdown", connect_and_shut_down)
    sock = listen()
    async with serve(Starlette(), sock):
        pass
    with clients[0] as client:
        assert is_closed(client)


def is_closed(client: socket.socket) -> bool:
    """Whether the other side has closed the connection, in order or by a reset."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False
