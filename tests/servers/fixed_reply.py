"""A server on loopback that gives the same reply to every request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen, serve


@asynccontextmanager
async def fixed_reply_server(answer: Response) -> AsyncIterator[tuple[str, list[Request]]]:
    """Yields the base URL and the list of requests received so far."""
    seen: list[Request] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(Request(scope, receive))
        await answer(scope, receive, send)

    sock = listen()
    async with serve(app, sock):
        yield address(sock), seen
