"""Servers inside the event loop of another application."""

from __future__ import annotations

import asyncio
import socket

import anyio
import pytest
from starlette.applications import Starlette

from gencode.embedded.server import listen, serve


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
