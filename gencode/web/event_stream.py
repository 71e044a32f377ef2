"""A response that goes on: server-sent events as they come, and comments while none come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

PING = b": ping\n\n"
"""A comment: keeps the connection open, and clients ignore it (WHATWG HTML, 9.2.7)."""


class EventStream(EventSourceResponse):
    """Sends each chunk (whole messages) at once, and a comment every `ping` seconds.

    sse-starlette's response with a lighter way to run it: one task besides the request's own for each
    reader instead of four, and no watcher that polls. Idle readers are many, so what they cost counts. A
    reader that takes nothing is the connection's affair (`gencode.web.connection`), since a deadline on one
    send would leave its socket open; the farewell at shutdown is the hub's.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], ping: float) -> None:
        super().__init__(chunks, ping=ping)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        async with aclosing(self._chunks), anyio.create_task_group() as tg:
            tg.start_soon(self._attend, receive, send, tg.cancel_scope)
            async for chunk in self._chunks:
                await _send(send, chunk)
            tg.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _attend(self, receive: Receive, send: Send, stream: anyio.CancelScope) -> None:
        """End the stream when its client leaves: of that, uvicorn tells in `receive`, never in `send`."""
        while True:
            with anyio.move_on_after(self.ping_interval):
                await _departure(receive)
                stream.cancel()
                return
            await _send(send, PING)


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
