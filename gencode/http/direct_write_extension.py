"""An ASGI extension by which long responses write to the socket without `send`.

The connections of `gencode.http.uvicorn_protocol` offer it. A response may set a continuation, which runs
after the application has returned: the stack frames of the middlewares and the request, more than half of the
memory of an idle subscriber, are then released.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.http.problems import unexpected

log = structlog.get_logger(__name__)
EXTENSION = "gencode.direct_writer"
"""The key in the scope's `extensions`; absent under other servers."""

Continuation = Callable[[Send], Awaitable[None]]


class DirectWriter(Protocol):
    """The extension object of one request. `continuation`: runs after the application has returned."""

    continuation: Continuation | None

    @property
    def is_blocked(self) -> bool:
        """Whether the client has not yet received what was written."""
        ...

    def write(self, chunk: bytes) -> bool:
        """Writes a part of the body immediately; returns whether more can be written. Never raises."""
        ...

    def disconnect(self) -> None:
        """Notes that the client has disconnected, or is no longer served."""
        ...

    def on_disconnect(self, call: Callable[[], None]) -> None:
        """Calls `call` when the client disconnects; immediately, if it already has."""
        ...


def direct_writer(scope: Scope) -> DirectWriter | None:
    """The writer of this request; None under a server without the extension."""
    writer: DirectWriter | None = scope.get("extensions", {}).get(EXTENSION)
    return writer


def with_continuations(app: ASGIApp) -> ASGIApp:
    """Runs the application and then the continuation of its response."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        writer = direct_writer(scope)
        if writer and writer.continuation:
            continuation, writer.continuation = writer.continuation, None  # breaks a reference cycle
            try:
                await continuation(send)
            except asyncio.CancelledError:
                _cut_off(scope, writer)
            except Exception as error:
                unexpected(scope["path"], error)
                raise

    return run


def _cut_off(scope: Scope, writer: DirectWriter) -> None:
    """The server stops, and its time for responses that are being sent is over: no fault of the service. The
    server closes the connection of a response that returns unfinished."""
    log.warning("a stream was cut off: its client did not read it in time", path=scope["path"])
    writer.disconnect()
