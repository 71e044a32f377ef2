"""Event streams on the server's own connections: what is written past the application, and in what order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.bootstrap.app import create_app
from gencode.domain.event import encode
from gencode.domain.task import State, Task
from gencode.embedded.server import address, listen, serve
from gencode.http.services import Services
from gencode.hub.in_process import CLOSING_MESSAGE, InProcessHub
from tests.servers.calls import client
from tests.servers.raw import raw
from tests.servers.service import App, running_app, settings
from tests.unit.storage.samples import REQUEST, a_task, an_event


@dataclass
class StreamedTask:
    """A task whose events a test stores and publishes, as the engine does."""

    app: App
    task: Task
    texts: list[str]

    @property
    def path(self) -> str:
        return f"/api/v1/status/{self.task.id}"

    @property
    def port(self) -> int:
        return int(self.app.url.rpartition(":")[2])

    @property
    def hub(self) -> InProcessHub:
        assert isinstance(self.app.parts.hub, InProcessHub)
        return self.app.parts.hub

    async def publish(self, *texts: str, over: bool = False) -> None:
        first = len(self.texts) + 1
        self.texts += texts
        events = [an_event(self.task, n, text=text) for n, text in enumerate(texts, start=first)]
        state = State.FAILED if over else State.RUNNING
        version = self.task.version + 1
        self.task = replace(self.task, sequence=len(self.texts), version=version, state=state)
        await self.app.parts.store.commit(self.task, events)
        self.hub.publish(events, over)

    def bytes(self, after: int = 0) -> bytes:
        return b"".join(
            encode(an_event(self.task, n, text=text))
            for n, text in enumerate(self.texts, start=1)
            if n > after
        )

    async def attached(self, count: int) -> None:
        """Wait until so many subscribers are attached: they have everything that was published."""
        while self._attached() != count:
            await anyio.sleep(0.001)

    def _attached(self) -> int:
        channel = self.hub._channels.get(self.task.id)
        return (
            len(channel._attached._attachments) + len(channel._attached_live._attachments) if channel else 0
        )


@asynccontextmanager
async def streamed_task(folder: Path, **fields: Any) -> AsyncIterator[StreamedTask]:
    async with running_app(settings(folder, **fields)) as app:
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await app.parts.store.create(task, REQUEST, [])
        streamed = StreamedTask(app=app, task=task, texts=[])
        await streamed.publish("one")
        yield streamed


def request(path: str, more: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"


# --- attached: the publisher writes -----------------------------------------------------------------


async def test_published_events_are_chunks_and_the_connection_can_be_reused(
    tmp_path: Path,
) -> None:
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as connection:
        await connection.send(request(streamed.path))
        await streamed.attached(1)
        await streamed.publish("two", "three")
        await streamed.publish("é" * 5000)
        await streamed.publish("five", over=True)
        answer = await connection.answer()
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.body == streamed.bytes()
        await connection.send(request("/livez"))
        assert (await connection.answer()).status == 200


async def test_a_pipelined_request_is_answered_after_the_stream(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as connection:
        await connection.send(request(streamed.path) + request("/livez"))
        await streamed.attached(1)
        await streamed.publish("two", over=True)
        assert (await connection.answer()).body == streamed.bytes()
        assert (await connection.answer()).status == 200


async def test_closing_sends_the_closing_message_to_attached_subscribers(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as connection:
        await connection.send(request(streamed.path))
        await streamed.attached(1)
        streamed.app.parts.closing.set()
        assert (await connection.answer()).body == streamed.bytes() + CLOSING_MESSAGE


async def test_an_attached_subscriber_that_disconnects_is_released_at_once(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed:
        async with raw(streamed.port) as connection:
            await connection.send(request(streamed.path))
            await streamed.attached(1)
        while streamed.hub.subscribers:
            await anyio.sleep(0.001)
        assert not any(streamed.app.parts.ticker._slots)


async def test_events_that_were_stored_but_not_published_are_read_from_the_store(tmp_path: Path) -> None:
    """A commit that was reported as failed had happened: attached subscribers must miss nothing."""
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as connection:
        await connection.send(request(streamed.path))
        await streamed.attached(1)
        publish = streamed.hub.publish
        streamed.hub.publish = lambda events, over=False: None  # type: ignore[method-assign]
        await streamed.publish("two")
        streamed.hub.publish = publish  # type: ignore[method-assign]
        await streamed.publish("three")
        await streamed.publish("four", over=True)
        assert (await connection.answer()).body == streamed.bytes()


# --- slow subscribers -------------------------------------------------------------------------------

LARGE = "x" * 100_000


async def narrow(streamed: StreamedTask) -> socket.socket:
    """A stream with a small receive buffer: nothing of it is read until the test does."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", streamed.port))
    sock.sendall(request(streamed.path, "Connection: close\r\n").encode())
    return sock


async def test_a_slow_subscriber_catches_up_from_the_log_and_delays_no_other(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as quick:
        await quick.send(request(streamed.path))
        with await narrow(streamed) as slow:
            await streamed.attached(2)
            answer = asyncio.create_task(quick.answer())
            for _ in range(100):  # 10 MB: more than the kernel holds for one connection
                await streamed.publish(LARGE)
            await streamed.publish("the last", over=True)
            assert (await answer).body == streamed.bytes()
            assert streamed.hub.subscribers == 1
            assert await anyio.to_thread.run_sync(dechunked, slow) == streamed.bytes()


async def test_a_subscriber_that_has_caught_up_is_attached_again(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed:
        with await narrow(streamed) as slow:
            await streamed.attached(1)
            while streamed._attached():
                await streamed.publish(LARGE)
            await anyio.to_thread.run_sync(read_at_least, slow, len(streamed.bytes()))
            await streamed.publish("small")
            await streamed.attached(1)


async def test_a_subscriber_that_receives_nothing_is_aborted_at_its_deadline(tmp_path: Path) -> None:
    async with streamed_task(tmp_path, send_timeout=0.2) as streamed:
        with await narrow(streamed):
            await streamed.attached(1)
            while streamed._attached():
                await streamed.publish(LARGE)
            while streamed.hub.subscribers:
                await anyio.sleep(0.005)


def read_at_least(sock: socket.socket, size: int) -> None:
    sock.setblocking(True)
    while size > 0:
        size -= len(sock.recv(65536))


def dechunked(sock: socket.socket) -> bytes:
    """The body of the one answer on a connection."""
    sock.setblocking(True)
    with sock.makefile("rb") as file:
        while file.readline().strip():
            continue
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            assert file.read(2) == b"\r\n"
        return body


# --- without a direct writer, or without chunks -----------------------------------------------------


async def test_http_1_0_gets_the_same_without_chunks(tmp_path: Path) -> None:
    async with streamed_task(tmp_path) as streamed, raw(streamed.port) as connection:
        await connection.send(request(streamed.path).replace("1.1", "1.0"))
        await streamed.attached(1)
        await streamed.publish("two")
        await streamed.publish("three", over=True)
        head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert body == streamed.bytes()


async def test_another_asgi_server_sends_the_same_bytes(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    sock = listen()
    async with app.router.lifespan_context(app), serve(app, sock):
        parts: Services = app.state.services
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await parts.store.create(task, REQUEST, [])
        streamed = StreamedTask(app=App(url=address(sock), parts=parts), task=task, texts=[])
        await streamed.publish("one")
        async with client(streamed.app.url) as http, http.stream("GET", streamed.path) as response:
            chunks = response.aiter_bytes()
            read = await anext(chunks)
            await streamed.publish("two", "three")
            await streamed.publish("four", over=True)
            read += b"".join([chunk async for chunk in chunks])
            assert read == streamed.bytes()
            assert streamed._attached() == 0


async def test_a_bug_in_a_stream_aborts_it_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An end that looks regular would be taken for the end of the task."""
    async with streamed_task(tmp_path) as streamed:

        def broken(*_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("gencode.hub.channel.Channel.read", broken)
        async with client(streamed.app.url) as http:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await http.get(streamed.path)
        assert streamed.hub.subscribers == 0
    assert "ZeroDivisionError" in "".join(capsys.readouterr())
