"""Runs an ASGI application on a loopback socket inside our own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import anyio
import uvicorn
from starlette.types import ASGIApp

from gencode.domain.errors import StartError

KEEP_ALIVE = 75
"""Seconds; longer than our own clients keep an idle connection, so that no request is sent on a connection
that is being closed."""


_ACCEPT_TURNS = 4
"""Of the event loop, from the accept of a connection until uvicorn knows it, and one to spare."""


class EmbeddedServer(uvicorn.Server):
    """uvicorn without its signal handlers, which belong to the process that embeds it."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """A connection that asyncio accepts and has not yet handed over when its server is closed would stay
        open: first no more are accepted, and all are handed over."""
        loop = asyncio.get_running_loop()
        for listening in (sock for server in self.servers for sock in server.sockets):
            loop.remove_reader(listening)
        for _ in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1 (port 0: any free one); connections queue until it is served."""
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer waits 40 ms for an ACK.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def listen_on_first_free(ports: Sequence[int], port_file: Path) -> socket.socket:
    """A listening socket on the first of these ports that is free, else on any free port.

    Stores the port in `port_file`, so that URLs from this process are valid in the next one. Raises
    StartError when no port is free.
    """
    for port in (*ports, 0):
        try:
            sock = listen(port)
        except OSError:
            continue
        port_file.write_text(str(sock.getsockname()[1]), encoding="utf-8")
        return sock
    raise StartError("no port is free on 127.0.0.1 for the local forge")


def saved_port(port_file: Path) -> int | None:
    """The port of the last process; None for the first process."""
    saved = port_file.read_text(encoding="utf-8").strip() if port_file.exists() else ""
    return int(saved) if saved.isdigit() else None


def address(sock: socket.socket) -> str:
    """`http://127.0.0.1:PORT` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def serve(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on `sock` inside the block. On exit, open requests get one second to finish."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )
    server = EmbeddedServer(config)
    with closing(sock):
        async with anyio.create_task_group() as tg:
            tg.start_soon(serve_until_stopped, server, sock)
            try:
                yield
            finally:
                server.should_exit = True


async def serve_until_stopped(server: uvicorn.Server, sock: socket.socket) -> None:
    """Serve `sock` until `server.should_exit`, whatever cancels the caller: uvicorn that is cancelled leaves
    its closed socket registered in the event loop, and later connections with the same descriptor hang. A
    host application continues to use the loop."""
    with anyio.CancelScope(shield=True):
        await server.serve([sock])
