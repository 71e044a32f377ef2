"""A response that goes on: server-sent events as they come, and comments while none come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, aclosing
from functools import partial

import anyio
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from gencode.engine.hub import Subscription
from gencode.http.direct_writer import DirectWriter, direct_writer
from gencode.http.shared_ticker import SharedTicker

PING = b": ping\n\n"
"""A comment: keeps the connection open, and clients ignore it (WHATWG HTML, 9.2.7)."""

Say = Callable[[], bytes]
"""Whole messages without ids, or nothing this time."""
Beat = tuple[SharedTicker, Say]
"""What is said beside the chunks, and how often."""


class EventStream(EventSourceResponse):
    """Sends each chunk (whole messages) at once, a comment at each beat of `pulse`, and what `more` say.

    sse-starlette's response with two lighter ways to run it. On our own connections, what is published is
    written by the publisher, past this response's task, which sleeps; only a reader that falls behind is
    read for again. Under any other ASGI server, two tasks besides the request's own take the place of
    sse-starlette's four, and of its watcher that polls. Idle readers are many, so what they cost counts. A
    reader that takes nothing is the connection's affair (`gencode.http.connection`), since a deadline on one
    send would leave its socket open; the farewell at shutdown is the hub's.
    """

    def __init__(self, chunks: Subscription, ticker: SharedTicker, *more: Beat) -> None:
        super().__init__(chunks, ping=ticker.seconds)
        self._chunks = chunks
        self._beats = ((ticker, _ping), *more)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if services := direct_writer(scope):
            services.rest = partial(_through, services, self._chunks, self._beats)
        else:
            await self._by_itself(receive, send)

    async def _by_itself(self, receive: Receive, send: Send) -> None:
        async with aclosing(self._chunks), anyio.create_task_group() as tg:
            tg.start_soon(_attend, receive, tg.cancel_scope)
            for ticker, say in self._beats:
                tg.start_soon(_repeat, send, ticker.seconds, say)
            async for chunk in self._chunks:
                await _send(send, chunk)
            tg.cancel_scope.cancel()
        await _end(send)


async def _through(services: DirectWriter, chunks: Subscription, beats: Sequence[Beat], send: Send) -> None:
    """The chunks, until they end or the client leaves. A function, so that the response itself can go."""
    with anyio.CancelScope() as stay, ExitStack() as calls:
        for ticker, say in beats:
            calls.enter_context(ticker.calling(partial(_write, services, say)))
        services.on_departure(stay.cancel)
        async with aclosing(chunks):
            await chunks.attach(services.write)
            async for chunk in chunks:
                await _send(send, chunk)
                await chunks.attach(services.write)
    await _end(send)


def _write(services: DirectWriter, say: Say) -> None:
    if not services.slow and (chunk := say()):
        services.write(chunk)


def _ping() -> bytes:
    return PING


async def _attend(receive: Receive, stream: anyio.CancelScope) -> None:
    """End the stream when its client leaves: of that, uvicorn tells in `receive`, never in `send`."""
    while (await receive())["type"] != "http.disconnect":
        continue
    stream.cancel()


async def _repeat(send: Send, seconds: float, say: Say) -> None:
    while True:
        await anyio.sleep(seconds)
        if chunk := say():
            await _send(send, chunk)


async def _send(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
