"""What a connection of ours offers to an answer that goes on: a shortcut past ASGI's `send`.

The rest of such an answer runs when the application has returned: its middlewares have nothing to add to it,
and the frames of all of them, and the request, would be kept for as long as the stream is open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.http.problems import unexpected

NAME = "gencode.outlet"
"""In the scope's extensions; not there under another server."""

Continuation = Callable[[Send], Awaitable[None]]


class DirectWriter(Protocol):
    """Of one request. `rest`: what to run when the application has returned."""

    rest: Continuation | None

    @property
    def slow(self) -> bool:
        """Whether the client has yet to take what was sent."""
        ...

    def write(self, chunk: bytes) -> bool:
        """Send a piece of the body at once; whether the client is quick enough for more. Never raises."""
        ...

    def depart(self) -> None:
        """The client has left, or is sent away."""
        ...

    def on_departure(self, call: Callable[[], None]) -> None:
        """When the client departs; at once, if it has departed."""
        ...


def direct_writer(scope: Scope) -> DirectWriter | None:
    """The one of this request, if its connection has one."""
    found: DirectWriter | None = scope.get("extensions", {}).get(NAME)
    return found


def with_continuations(app: ASGIApp) -> ASGIApp:
    """The application, and after it, the rests of its answers."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        services = direct_writer(scope)
        if services and services.rest:
            rest, services.rest = services.rest, None  # else a circle, left for the collector
            try:
                await rest(send)
            except Exception as error:
                unexpected(scope["path"], error)
                raise

    return run
