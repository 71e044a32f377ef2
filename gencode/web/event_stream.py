"""A response that goes on: server-sent events as they come, and comments while none come."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial

import anyio
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from gencode.hub import Subscription
from gencode.web.outlet import Outlet, outlet
from gencode.web.pulse import Pulse

PING = b": ping\n\n"
"""A comment: keeps the connection open, and clients ignore it (WHATWG HTML, 9.2.7)."""


class EventStream(EventSourceResponse):
    """Sends each chunk (whole messages) at once, and a comment at each beat of `pulse`.

    sse-starlette's response with two lighter ways to run it. On our own connections, what is published is
    written by the publisher, past this response's task, which sleeps; only a reader that falls behind is
    read for again. Under any other ASGI server, one task besides the request's own takes the place of
    sse-starlette's four, and of its watcher that polls. Idle readers are many, so what they cost counts. A
    reader that takes nothing is the connection's affair (`gencode.web.connection`), since a deadline on one
    send would leave its socket open; the farewell at shutdown is the hub's.
    """

    def __init__(self, chunks: Subscription, pulse: Pulse) -> None:
        super().__init__(chunks, ping=pulse.seconds)
        self._chunks = chunks
        self._pulse = pulse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if its := outlet(scope):
            its.rest = partial(_through, its, self._chunks, self._pulse)
        else:
            await self._by_itself(receive, send)

    async def _by_itself(self, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks), anyio.create_task_group() as tg:
            tg.start_soon(self._attend, receive, send, tg.cancel_scope)
            async for chunk in self._chunks:
                await _send(send, chunk)
            tg.cancel_scope.cancel()
        await _end(send)

    async def _attend(self, receive: Receive, send: Send, stream: anyio.CancelScope) -> None:
        """End the stream when its client leaves: of that, uvicorn tells in `receive`, never in `send`."""
        while True:
            with anyio.move_on_after(self.ping_interval):
                await _departure(receive)
                stream.cancel()
                return
            await _send(send, PING)


async def _through(its: Outlet, chunks: Subscription, pulse: Pulse, send: Send) -> None:
    """The chunks, until they end or the client leaves. A function, so that the response itself can go."""

    def ping() -> None:
        if not its.slow:
            its.write(PING)

    with anyio.CancelScope() as stay, pulse.calling(ping):
        its.on_departure(stay.cancel)
        async with aclosing(chunks):
            await chunks.pass_on(its.write)
            async for chunk in chunks:
                await _send(send, chunk)
                await chunks.pass_on(its.write)
    await _end(send)


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
