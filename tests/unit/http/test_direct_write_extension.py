"""What is written to the socket after the application has returned."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send

from gencode.http.direct_write_extension import EXTENSION, Continuation, with_continuations


class Writer:
    """A connection that nobody reads."""

    def __init__(self) -> None:
        self.continuation: Continuation | None = None
        self.is_disconnected = False

    def disconnect(self) -> None:
        self.is_disconnected = True


async def test_a_stream_that_the_server_cuts_off_is_no_error_of_the_application() -> None:
    """A server that stops cancels what is still being sent, and logs whatever is raised as a fault."""
    writer, is_sending = Writer(), asyncio.Event()

    async def never_ends(_send: Send) -> None:
        is_sending.set()
        await asyncio.Event().wait()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][EXTENSION].continuation = never_ends

    async def unused() -> None:
        raise AssertionError

    scope = {"type": "http", "path": "/x", "extensions": {EXTENSION: writer}}
    request = asyncio.ensure_future(with_continuations(app)(scope, unused, unused))  # type: ignore[arg-type]
    await is_sending.wait()
    request.cancel()
    await request
    assert writer.is_disconnected
