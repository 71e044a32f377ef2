"""A TCP server of asyncio streams that leaves nothing open when the test ends.

`asyncio.start_server` closes neither the connections that it accepted nor those that a cancelled handler
opened: the garbage collector finds them during a later test, which then fails.

async with tcp_server(handle) as port:
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(handle: Handler, *, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port on 127.0.0.1. At the end, handlers are cancelled and connections are cut; errors of handlers
    are raised, but for those of a connection that its other side ended."""
    handlers = dict[asyncio.Task[None], asyncio.StreamWriter]()
    is_open = True

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_open:
            writer.transport.abort()
            return
        handlers[asyncio.create_task(_handled(handle, reader, writer))] = writer

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context, backlog=1000)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        with anyio.CancelScope(shield=True):
            await _close(server)
            is_open = False
            for handler, writer in handlers.items():
                handler.cancel()
                writer.transport.abort()
            ends = await asyncio.gather(*handlers, return_exceptions=True)
            await _turns()
    if errors := [end for end in ends if isinstance(end, Exception)]:
        raise ExceptionGroup("handlers failed", errors)


async def _close(server: asyncio.Server) -> None:
    """A connection that is accepted and has no handler yet would stay open when its server is closed."""
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening)
    await _turns()
    server.close()


async def _turns() -> None:
    """Of the event loop: an accepted connection has its handler after three, and is closed after one."""
    for _ in range(4):
        await asyncio.sleep(0)


async def _handled(handle: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await handle(reader, writer)
    except* (OSError, asyncio.IncompleteReadError):
        pass  # one side is gone
    finally:
        writer.close()


@asynccontextmanager
async def tcp_connection(port: int) -> AsyncIterator[Connection]:
    """To 127.0.0.1."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    except BaseException:
        writer.transport.abort()  # closed in order, it would stay open until the other side has read all
        raise
    finally:
        writer.close()
