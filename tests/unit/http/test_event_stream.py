from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import anyio
import pytest
from starlette.types import Message

from gencode.engine.ports.hub import Sink
from gencode.http.direct_write_extension import EXTENSION, Continuation
from gencode.http.event_stream import PING, EventStream
from gencode.http.shared_ticker import SharedTicker


class Exchange:
    """An ASGI server's side: what was sent, and when the client leaves."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.left = anyio.Event()
        self.pinged = anyio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message.get("body") == PING:
            self.pinged.set()

    @property
    def body(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]


class Chunks:
    """A generator that says when it was closed. `forever`: it waits after its chunks."""

    def __init__(self, *chunks: bytes, forever: bool = False, error: Exception | None = None) -> None:
        self.waiting = anyio.Event()
        self.closed = anyio.Event()
        self._chunks = chunks
        self._forever = forever
        self._error = error

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            for chunk in self._chunks:
                yield chunk
            if self._error:
                raise self._error
            if self._forever:
                self.waiting.set()
                await anyio.sleep_forever()
        finally:
            self.closed.set()


async def test_chunks_are_sent_one_by_one_then_the_end() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n", b"b\n\n")
    await EventStream(chunks(), SharedTicker(60))(
        {"type": "http", "method": "GET"}, exchange.receive, exchange.send
    )
    headers = dict(exchange.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-accel-buffering"] == b"no"
    assert b"content-length" not in headers
    assert exchange.body == [b"a\n\n", b"b\n\n", b""]
    assert [message.get("more_body") for message in exchange.sent] == [None, True, True, False]
    assert chunks.closed.is_set()


async def test_a_disconnect_closes_the_subscription() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n", forever=True)
    async with anyio.create_task_group() as tg:
        scope = {"type": "http", "method": "GET"}
        tg.start_soon(EventStream(chunks(), SharedTicker(60)), scope, exchange.receive, exchange.send)
        await chunks.waiting.wait()
        exchange.left.set()
    assert chunks.closed.is_set()


async def test_comments_are_sent_while_there_are_no_events() -> None:
    exchange, chunks = Exchange(), Chunks(forever=True)
    async with anyio.create_task_group() as tg:
        scope = {"type": "http", "method": "GET"}
        tg.start_soon(EventStream(chunks(), SharedTicker(0.001)), scope, exchange.receive, exchange.send)
        for _ in range(3):
            await exchange.pinged.wait()
            exchange.pinged = anyio.Event()
        exchange.left.set()
    assert set(exchange.body[:-1]) == {PING}


async def test_an_exception_of_the_subscription_is_raised() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n", error=ZeroDivisionError())
    with pytest.raises(ExceptionGroup) as caught:
        await EventStream(chunks(), SharedTicker(60))(
            {"type": "http", "method": "GET"}, exchange.receive, exchange.send
        )
    assert caught.group_contains(ZeroDivisionError)
    assert exchange.sent[-1]["more_body"], "the client must not take it for the end"


# --- on a connection with a direct writer ----------------------------------------------------------


class RecordingWriter:
    """A direct writer. `is_gone`: the client disconnects before the continuation begins."""

    def __init__(self, is_gone: bool = False) -> None:
        self.continuation: Continuation | None = None
        self.is_blocked = False
        self.written: list[bytes] = []
        self.pinged = anyio.Event()
        self.leave: Callable[[], None] = lambda: None
        self._is_gone = is_gone

    def write(self, chunk: bytes) -> bool:
        self.written.append(chunk)
        if chunk == PING:
            self.pinged.set()
        return True

    def disconnect(self) -> None:
        self.leave()

    def on_disconnect(self, call: Callable[[], None]) -> None:
        self.leave = call
        if self._is_gone:
            call()


class OneChunkThenAttached:
    """A subscription that returns one chunk, then writes another to the sink, then waits."""

    def __init__(self) -> None:
        self.closed = self.loaded = False
        self._chunks = [b"read\n\n"]

    def __aiter__(self) -> OneChunkThenAttached:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop()

    async def load(self) -> None:
        self.loaded = True

    async def attach(self, take: Sink) -> None:
        if not self._chunks:
            take(b"passed on\n\n")
            await anyio.sleep_forever()

    async def aclose(self) -> None:
        self.closed = True


async def begun(
    writer: RecordingWriter, subscription: OneChunkThenAttached, ticker: SharedTicker, exchange: Exchange
) -> Continuation:
    """The application returns at once; it has sent the head and left the continuation to the server."""
    scope = {"type": "http", "method": "GET", "extensions": {EXTENSION: writer}}
    await EventStream(subscription, ticker)(scope, exchange.receive, exchange.send)
    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert writer.continuation
    return writer.continuation


async def test_the_publisher_writes_directly_and_pings_follow_until_the_client_disconnects() -> None:
    writer, subscription, ticker, exchange = (
        RecordingWriter(),
        OneChunkThenAttached(),
        SharedTicker(0.01),
        Exchange(),
    )
    rest = await begun(writer, subscription, ticker, exchange)
    async with anyio.create_task_group() as tg:
        tg.start_soon(ticker.run)
        tg.start_soon(rest, exchange.send)
        await writer.pinged.wait()
        assert exchange.body == [b"read\n\n"]
        assert writer.written[:2] == [b"passed on\n\n", PING]
        writer.leave()
        await anyio.wait_all_tasks_blocked()
        assert subscription.closed
        tg.cancel_scope.cancel()
    assert exchange.body == [b"read\n\n", b""], "the response ends regularly"


async def test_a_blocked_client_gets_no_pings() -> None:
    writer, subscription, ticker, exchange = (
        RecordingWriter(),
        OneChunkThenAttached(),
        SharedTicker(0.001),
        Exchange(),
    )
    rest, turns = await begun(writer, subscription, ticker, exchange), anyio.Event()
    writer.is_blocked = True
    async with anyio.create_task_group() as tg:
        tg.start_soon(rest, exchange.send)
        await anyio.wait_all_tasks_blocked()
        tg.start_soon(ticker.run)
        with ticker.calling(turns.set):
            await turns.wait()
        tg.cancel_scope.cancel()
    assert writer.written == [b"passed on\n\n"]


async def test_a_disconnect_before_the_continuation_begins_is_noticed() -> None:
    writer, subscription, exchange = RecordingWriter(is_gone=True), OneChunkThenAttached(), Exchange()
    rest = await begun(writer, subscription, SharedTicker(60), exchange)
    await rest(exchange.send)
    assert subscription.closed


async def test_head_sends_no_body() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n")
    await EventStream(chunks(), SharedTicker(60))(
        {"type": "http", "method": "HEAD"}, exchange.receive, exchange.send
    )
    assert exchange.body == [b""]
