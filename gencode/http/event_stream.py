"""The response that sends server-sent events as they are published, and comments while there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, aclosing, nullcontext
from functools import partial

import anyio
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from gencode.engine.ports.hub import Subscription
from gencode.http.direct_write_extension import DirectWriter, direct_writer
from gencode.http.shared_ticker import SharedTicker

PING = b": ping\n\n"
"""A comment: keeps the connection open, and clients ignore it (WHATWG HTML, 9.2.7)."""

MakeMessage = Callable[[], bytes]
"""Returns whole messages without ids, or b"" for nothing."""
Loading = Callable[[], AbstractAsyncContextManager[None]]
"""A limit that is held while the stream reads its first events from the store."""
Periodic = tuple[SharedTicker, MakeMessage]
"""Messages that are sent in addition to the events, and the ticker that times them."""


class EventStream(EventSourceResponse):
    """Sends each chunk of the subscription (whole messages) at once, a comment at each tick of `ticker`, and
    the messages of `periodic`.

    sse-starlette's response with two cheaper ways to run, since idle subscribers are many. On the connections
    of `gencode.http.uvicorn_protocol`, the publisher writes to the socket itself while this response's task
    sleeps; the task reads the subscription only for a client that lags. Under any other ASGI
    server, two tasks besides the request's own replace sse-starlette's four and its polling watcher. A client
    that receives nothing is cut off by the connection, since a deadline on one send would leave the socket
    open; the hub ends the subscription at shutdown.
    """

    def __init__(
        self,
        subscription: Subscription,
        ticker: SharedTicker,
        *periodic: Periodic,
        loading: Loading = nullcontext,
    ) -> None:
        super().__init__(subscription, ping=ticker.seconds)
        self._subscription = subscription
        self._periodic = ((ticker, _ping), *periodic)
        self._loading = loading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await super().__call__(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if writer := direct_writer(scope):
            writer.continuation = partial(
                _write_directly, writer, self._subscription, self._periodic, self._loading
            )
        else:
            await self._send_events(receive, send)

    async def _send_events(self, receive: Receive, send: Send) -> None:
        async with aclosing(self._subscription), anyio.create_task_group() as group:
            group.start_soon(_cancel_on_disconnect, receive, group.cancel_scope)
            for ticker, make_message in self._periodic:
                group.start_soon(_send_periodically, send, ticker.seconds, make_message)
            async for chunk in self._subscription:
                await _send(send, chunk)
            group.cancel_scope.cancel()
        await _finish(send)


async def _write_directly(
    writer: DirectWriter,
    subscription: Subscription,
    periodic: Sequence[Periodic],
    loading: Loading,
    send: Send,
) -> None:
    """Writes the stream until the subscription ends or the client disconnects. A function, so that it keeps
    no response alive."""
    with anyio.CancelScope() as scope, ExitStack() as calls:
        for ticker, make_message in periodic:
            calls.enter_context(ticker.calling(partial(_write_message, writer, make_message)))
        writer.on_disconnect(scope.cancel)
        async with aclosing(subscription):
            async with loading():
                await subscription.load()
            await subscription.attach(writer.write)
            async for chunk in subscription:
                await _send(send, chunk)
                await subscription.attach(writer.write)
    await _finish(send)


def _write_message(writer: DirectWriter, make_message: MakeMessage) -> None:
    if not writer.is_blocked and (chunk := make_message()):
        writer.write(chunk)


def _ping() -> bytes:
    return PING


async def _cancel_on_disconnect(receive: Receive, stream: anyio.CancelScope) -> None:
    """uvicorn reports a disconnect in `receive`, never in `send`."""
    while (await receive())["type"] != "http.disconnect":
        continue
    stream.cancel()


async def _send_periodically(send: Send, seconds: float, make_message: MakeMessage) -> None:
    while True:
        await anyio.sleep(seconds)
        if chunk := make_message():
            await _send(send, chunk)


async def _send(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _finish(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
