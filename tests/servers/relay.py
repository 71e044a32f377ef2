"""Stands between a client and a TCP server, and loses the connection at a moment that the test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum


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
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        answers = asyncio.create_task(_copy(server_reader, writer))
        try:
            while data := await reader.read(65536):
                self.sent += data
                loss = self._next_loss(data)
                if loss is Loss.SILENCE:
                    await reader.read()
                if loss in (Loss.SILENCE, Loss.BEFORE):
                    break
                if loss is Loss.AFTER:
                    await _cancel(answers)
                server_writer.write(data)
                if loss is Loss.AFTER:
                    await server_reader.read(65536)
                    break
        finally:
            await _cancel(answers)
            server_writer.close()
            writer.close()

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
    made, handlers = Relay(server_port), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler
        handlers.add(handler)
        with suppress(ConnectionError, asyncio.CancelledError):  # it is lost on purpose
            await made.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for handler in handlers:
            await _cancel(handler)
