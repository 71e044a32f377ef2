"""A response that goes on: server-sent events as they come, and comments while none come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PING = b": ping\n\n"
"""A comment: keeps the connection open, and clients ignore it (WHATWG HTML, 9.2.7)."""


class EventStream(Response):
    """Sends each chunk (whole messages) at once, and a comment every `ping` seconds.

    One task besides the request's own for each reader: idle readers are many, so what they cost counts.
    A reader that takes nothing is the connection's affair (`gencode.web.connection`).
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None], ping: float) -> None:
        self.status_code = 200
        self._chunks = chunks
        self._ping = ping
        # nginx buffers answers unless told not to; a cache must not keep a stream.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if scope["method"] != "HEAD":
            await self._stream(receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks), anyio.create_task_group() as tg:
            tg.start_soon(self._attend, receive, send, tg.cancel_scope)
            async for chunk in self._chunks:
                await _send(send, chunk)
            tg.cancel_scope.cancel()

    async def _attend(self, receive: Receive, send: Send, stream: anyio.CancelScope) -> None:
        """End the stream when its client leaves: of that, uvicorn tells in `receive`, never in `send`."""
        while True:
            with anyio.move_on_after(self._ping):
                await _departure(receive)
                stream.cancel()
                return
            await _send(send, PING)


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
