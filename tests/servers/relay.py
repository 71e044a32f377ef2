"""Stands between a client and a TCP server, and loses the connection at a moment that the test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

from tests.servers.tcp import Connection, tcp_connection, tcp_server


class Loss(Enum):
    """What happens when the client sends the text."""

    BEFORE = "the server never gets it"
    AFTER = "the server gets it, and its answer is lost"
    SILENCE = "the server never gets it, and the connection stays open"


class Relay:
    """`port` is its own. See `relay`."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.sent = b""
        """All that clients have sent."""
        self._server_port = server_port
        self._losses: dict[bytes, Loss] = {}

    def lose(self, text: bytes, loss: Loss) -> None:
        """The next time that a client sends this text."""
        self._losses[text] = loss

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with tcp_connection(self._server_port) as (server_reader, server_writer):
            answers = asyncio.create_task(_copy(server_reader, writer))
            try:
                await self._pass_on(reader, (server_reader, server_writer), answers)
            finally:
                await _cancel(answers)

    async def _pass_on(
        self, reader: asyncio.StreamReader, server: Connection, answers: asyncio.Task[None]
    ) -> None:
        while data := await reader.read(65536):
            self.sent += data
            loss = self._next_loss(data)
            if loss is Loss.SILENCE:
                await reader.read()
            if loss in (Loss.SILENCE, Loss.BEFORE):
                break
            if loss is Loss.AFTER:
                await _cancel(answers)
            server[1].write(data)
            if loss is Loss.AFTER:
                await server[0].read(65536)
                break

    def _next_loss(self, data: bytes) -> Loss | None:
        found = next((text for text in self._losses if text in data), None)
        return self._losses.pop(found) if found else None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, ConnectionError):
        await task


@asynccontextmanager
async def relay(server_port: int) -> AsyncIterator[Relay]:
    """In front of a server of 127.0.0.1."""
    made = Relay(server_port)
    async with tcp_server(made.serve) as made.port:
        yield made
