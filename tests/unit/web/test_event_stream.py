from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio
import pytest
from starlette.types import Message

from gencode.web.event_stream import PING, EventStream


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
    await EventStream(chunks(), ping=60)({"type": "http", "method": "GET"}, exchange.receive, exchange.send)
    headers = dict(exchange.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-accel-buffering"] == b"no"
    assert b"content-length" not in headers
    assert exchange.body == [b"a\n\n", b"b\n\n", b""]
    assert [message.get("more_body") for message in exchange.sent] == [None, True, True, False]
    assert chunks.closed.is_set()


async def test_a_client_that_leaves_ends_the_generator() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n", forever=True)
    async with anyio.create_task_group() as tg:
        scope = {"type": "http", "method": "GET"}
        tg.start_soon(EventStream(chunks(), ping=60), scope, exchange.receive, exchange.send)
        await chunks.waiting.wait()
        exchange.left.set()
    assert chunks.closed.is_set()


async def test_while_nothing_comes_there_are_comments() -> None:
    exchange, chunks = Exchange(), Chunks(forever=True)
    async with anyio.create_task_group() as tg:
        scope = {"type": "http", "method": "GET"}
        tg.start_soon(EventStream(chunks(), ping=0.001), scope, exchange.receive, exchange.send)
        for _ in range(3):
            await exchange.pinged.wait()
            exchange.pinged = anyio.Event()
        exchange.left.set()
    assert set(exchange.body[:-1]) == {PING}


async def test_a_bug_in_the_generator_is_not_hidden() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n", error=ZeroDivisionError())
    with pytest.raises(ExceptionGroup) as caught:
        await EventStream(chunks(), ping=60)(
            {"type": "http", "method": "GET"}, exchange.receive, exchange.send
        )
    assert caught.group_contains(ZeroDivisionError)
    assert exchange.sent[-1]["more_body"], "the client must not take it for the end"


async def test_head_starts_nothing() -> None:
    exchange, chunks = Exchange(), Chunks(b"a\n\n")
    await EventStream(chunks(), ping=60)({"type": "http", "method": "HEAD"}, exchange.receive, exchange.send)
    assert exchange.body == [b""]
