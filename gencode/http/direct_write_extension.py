"""A shortcut past ASGI's `send` for responses that last, offered by this package's own server connections.

Such a response continues after the application has returned: the middlewares add nothing to its body, and
their frames and the request were more than half of the memory of an idle subscriber.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.http.problems import unexpected

EXTENSION = "gencode.direct_writer"
"""Name in the scope's `extensions`; absent under another server."""

Continuation = Callable[[Send], Awaitable[None]]


class DirectWriter(Protocol):
    """One per request. `continuation`: what to run after the application has returned."""

    continuation: Continuation | None

    @property
    def is_blocked(self) -> bool:
        """Whether the client has not yet received what was written."""
        ...

    def write(self, chunk: bytes) -> bool:
        """Write a part of the body at once; returns whether more can be written. Never raises."""
        ...

    def disconnect(self) -> None:
        """The client has disconnected, or is no longer served."""
        ...

    def on_disconnect(self, call: Callable[[], None]) -> None:
        """Call it when the client disconnects; at once, if it has."""
        ...


def direct_writer(scope: Scope) -> DirectWriter | None:
    """The writer of this request, if its connection offers one."""
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
            except Exception as error:
                unexpected(scope["path"], error)
                raise

    return run
