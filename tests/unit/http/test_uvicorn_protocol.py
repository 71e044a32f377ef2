"""Event streams on our own protocol class: what is written directly to the connection, and in what order."""

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
from gencode.http.dependencies import Services
from gencode.http.event_stream import PING
from gencode.http.uvicorn_protocol import _JoinedWrites
from gencode.hub.in_process import CLOSING_MESSAGE, InProcessHub
from gencode.security.secret_registry import SecretRegistry
from tests.servers.calls import client
from tests.servers.raw import raw
from tests.servers.service import App, running_app, settings
from tests.unit.storage.samples import REQUEST, a_task, an_event


@dataclass
class PublishedTask:
    """A task whose events are stored, then published, as the engine does it."""

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
        assert isinstance(self.app.services.hub, InProcessHub)
        return self.app.services.hub

    async def publish(self, *texts: str, over: bool = False) -> None:
        first = len(self.texts) + 1
        self.texts += texts
        events = [an_event(self.task, n, text=text) for n, text in enumerate(texts, start=first)]
        state = State.FAILED if over else State.RUNNING
        version = self.task.version + 1
        self.task = replace(self.task, sequence=len(self.texts), version=version, state=state)
        await self.app.services.store.commit(self.task, events)
        self.hub.publish(events, over)

    def bytes(self, after: int = 0) -> bytes:
        return b"".join(
            encode(an_event(self.task, n, text=text))
            for n, text in enumerate(self.texts, start=1)
            if n > after
        )

    async def wait_until_caught_up(self, count: int) -> None:
        """Wait until so many subscribers have received everything."""
        while self._caught_up() != count:
            await anyio.sleep(0.001)

    def _caught_up(self) -> int:
        channel = self.hub._channels.get(self.task.id)
        return (
            len(channel._attached._attachments) + len(channel._attached_live._attachments) if channel else 0
        )


@asynccontextmanager
async def published_task(folder: Path, **fields: Any) -> AsyncIterator[PublishedTask]:
    async with running_app(settings(folder, **fields)) as app:
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await app.services.store.create(task, REQUEST, [])
        published = PublishedTask(app=app, task=task, texts=[])
        await published.publish("one")
        yield published


def request(path: str, more: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"


# --- caught-up subscribers --------------------------------------------------------------------------


async def test_each_publication_is_one_valid_chunk_and_the_connection_is_reused(
    tmp_path: Path,
) -> None:
    async with published_task(tmp_path) as published, raw(published.port) as connection:
        await connection.send(request(published.path))
        await published.wait_until_caught_up(1)
        await published.publish("two", "three")
        await published.publish("é" * 5000)
        await published.publish("five", over=True)
        answer = await connection.answer()
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.body == published.bytes()
        await connection.send(request("/livez"))
        assert (await connection.answer()).status == 200


async def test_a_pipelined_request_is_answered_after_the_stream(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published, raw(published.port) as connection:
        await connection.send(request(published.path) + request("/livez"))
        await published.wait_until_caught_up(1)
        await published.publish("two", over=True)
        assert (await connection.answer()).body == published.bytes()
        assert (await connection.answer()).status == 200


async def test_shutdown_ends_the_stream_of_a_caught_up_subscriber_with_the_farewell(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published, raw(published.port) as connection:
        await connection.send(request(published.path))
        await published.wait_until_caught_up(1)
        published.app.services.closing.set()
        assert (await connection.answer()).body == published.bytes() + CLOSING_MESSAGE


async def test_a_caught_up_subscriber_that_disconnects_is_removed_at_once(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published:
        async with raw(published.port) as connection:
            await connection.send(request(published.path))
            await published.wait_until_caught_up(1)
        while published.hub.subscribers:
            await anyio.sleep(0.001)
        assert not any(published.app.services.ticker._slots)


async def test_stored_events_that_were_not_published_are_read_from_the_store(tmp_path: Path) -> None:
    """A commit that was reported as failed had happened: a caught-up subscriber must get it too."""
    async with published_task(tmp_path) as published, raw(published.port) as connection:
        await connection.send(request(published.path))
        await published.wait_until_caught_up(1)
        publish = published.hub.publish
        published.hub.publish = lambda events, over=False: None  # type: ignore[method-assign]
        await published.publish("two")
        published.hub.publish = publish  # type: ignore[method-assign]
        await published.publish("three")
        await published.publish("four", over=True)
        assert (await connection.answer()).body == published.bytes()


# --- slow subscribers -------------------------------------------------------------------------------

LARGE = "x" * 100_000


async def narrow(published: PublishedTask) -> socket.socket:
    """A connection with a small receive buffer, from which nothing is read until the test reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", published.port))
    sock.sendall(request(published.path, "Connection: close\r\n").encode())
    return sock


async def test_a_slow_subscriber_catches_up_from_the_log_and_delays_no_other(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published, raw(published.port) as quick:
        await quick.send(request(published.path))
        with await narrow(published) as slow:
            await published.wait_until_caught_up(2)
            answer = asyncio.create_task(quick.answer())
            for _ in range(100):  # 10 MB: more than the kernel holds for one connection
                await published.publish(LARGE)
            await published.publish("the last", over=True)
            assert without_pings((await answer).body) == published.bytes()
            assert published.hub.subscribers == 1
            read = await anyio.to_thread.run_sync(dechunked, slow)
            assert without_pings(read) == published.bytes()


async def test_a_slow_subscriber_that_has_caught_up_is_written_directly_again(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published:
        with await narrow(published) as slow:
            await published.wait_until_caught_up(1)
            while published._caught_up():
                await published.publish(LARGE)
            await anyio.to_thread.run_sync(read_at_least, slow, len(published.bytes()))
            await published.publish("small")
            await published.wait_until_caught_up(1)


async def test_a_frozen_subscriber_is_disconnected_after_the_send_timeout(tmp_path: Path) -> None:
    async with published_task(tmp_path, send_timeout=0.2) as published:
        with await narrow(published):
            await published.wait_until_caught_up(1)
            while published._caught_up():
                await published.publish(LARGE)
            while published.hub.subscribers:
                await anyio.sleep(0.005)


def read_at_least(sock: socket.socket, size: int) -> None:
    sock.setblocking(True)
    while size > 0:
        size -= len(sock.recv(65536))


def without_pings(body: bytes) -> bytes:
    """A slow machine takes longer than the time between two of them."""
    return body.replace(PING, b"")


def dechunked(sock: socket.socket) -> bytes:
    """The body of the only answer on a connection."""
    sock.setblocking(True)
    with sock.makefile("rb") as file:
        while file.readline().strip():
            continue
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            assert file.read(2) == b"\r\n"
        return body


# --- without direct writes --------------------------------------------------------------------------


async def test_http_1_0_gets_the_same_body_without_chunks(tmp_path: Path) -> None:
    async with published_task(tmp_path) as published, raw(published.port) as connection:
        await connection.send(request(published.path).replace("1.1", "1.0"))
        await published.wait_until_caught_up(1)
        await published.publish("two")
        await published.publish("three", over=True)
        head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert body == published.bytes()


async def test_on_another_server_the_same_is_sent_by_plain_asgi_messages(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    sock = listen()
    async with app.router.lifespan_context(app), serve(app, sock):
        services: Services = app.state.services
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await services.store.create(task, REQUEST, [])
        published = PublishedTask(
            app=App(url=address(sock), services=services, secrets=SecretRegistry(())), task=task, texts=[]
        )
        await published.publish("one")
        async with client(published.app.url) as http, http.stream("GET", published.path) as response:
            chunks = response.aiter_bytes()
            read = await anext(chunks)
            await published.publish("two", "three")
            await published.publish("four", over=True)
            read += b"".join([chunk async for chunk in chunks])
            assert read == published.bytes()
            assert published._caught_up() == 0


async def test_a_bug_in_a_stream_ends_it_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A regular end of the body would mean the end of the task."""
    async with published_task(tmp_path) as published:

        def broken(*_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("gencode.hub.task_channel.TaskChannel.read", broken)
        async with client(published.app.url) as http:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await http.get(published.path)
        assert published.hub.subscribers == 0
    assert "ZeroDivisionError" in "".join(capsys.readouterr())


# --- the head of a response -------------------------------------------------------------------------


class RecordingTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def close(self) -> None:
        self.calls.append("close")


async def test_a_head_and_the_first_part_of_its_body_are_one_write() -> None:
    transport = RecordingTransport()
    joined = _JoinedWrites(asyncio.get_running_loop(), transport)
    joined.write(b"head ")
    joined.write(b"body")
    joined.write(b"rest")
    await asyncio.sleep(0)
    assert transport.calls == [b"head body", b"rest"]


async def test_a_head_without_a_body_is_sent_in_the_next_iteration() -> None:
    transport = RecordingTransport()
    joined = _JoinedWrites(asyncio.get_running_loop(), transport)
    joined.write(b"head")
    assert transport.calls == []
    await asyncio.sleep(0)
    assert transport.calls == [b"head"]
    joined.write(b"event")
    assert transport.calls == [b"head", b"event"]


async def test_a_head_is_sent_before_the_connection_is_closed() -> None:
    transport = RecordingTransport()
    joined = _JoinedWrites(asyncio.get_running_loop(), transport)
    joined.write(b"head")
    joined.close()
    assert transport.calls == [b"head", "close"]
