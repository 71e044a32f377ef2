"""Event streams on connections of our own: what is written past the application, and in what order."""

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
class Told:
    """A task of which a test tells: stored, then published, as the engine does."""

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

    async def tell(self, *texts: str, over: bool = False) -> None:
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

    async def in_step(self, count: int) -> None:
        """Wait until so many readers have all there is."""
        while self._in_step() != count:
            await anyio.sleep(0.001)

    def _in_step(self) -> int:
        channel = self.hub._channels.get(self.task.id)
        return (
            len(channel._attached._attachments) + len(channel._attached_live._attachments) if channel else 0
        )


@asynccontextmanager
async def told(folder: Path, **fields: Any) -> AsyncIterator[Told]:
    async with running_app(settings(folder, **fields)) as app:
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await app.services.store.create(task, REQUEST, [])
        services = Told(app=app, task=task, texts=[])
        await services.tell("one")
        yield services


def request(path: str, more: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"


# --- in step ----------------------------------------------------------------------------------------


async def test_what_is_published_is_a_chunk_that_any_client_reads_and_the_connection_goes_on(
    tmp_path: Path,
) -> None:
    async with told(tmp_path) as services, raw(services.port) as connection:
        await connection.send(request(services.path))
        await services.in_step(1)
        await services.tell("two", "three")
        await services.tell("é" * 5000)
        await services.tell("five", over=True)
        answer = await connection.answer()
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.body == services.bytes()
        await connection.send(request("/livez"))
        assert (await connection.answer()).status == 200


async def test_a_request_that_was_sent_behind_a_stream_is_answered_after_it(tmp_path: Path) -> None:
    async with told(tmp_path) as services, raw(services.port) as connection:
        await connection.send(request(services.path) + request("/livez"))
        await services.in_step(1)
        await services.tell("two", over=True)
        assert (await connection.answer()).body == services.bytes()
        assert (await connection.answer()).status == 200


async def test_closing_says_farewell_to_who_is_in_step(tmp_path: Path) -> None:
    async with told(tmp_path) as services, raw(services.port) as connection:
        await connection.send(request(services.path))
        await services.in_step(1)
        services.app.services.closing.set()
        assert (await connection.answer()).body == services.bytes() + CLOSING_MESSAGE


async def test_who_leaves_in_step_is_let_go_of_at_once(tmp_path: Path) -> None:
    async with told(tmp_path) as services:
        async with raw(services.port) as connection:
            await connection.send(request(services.path))
            await services.in_step(1)
        while services.hub.subscribers:
            await anyio.sleep(0.001)
        assert not any(services.app.services.ticker._slots)


async def test_a_store_that_is_ahead_of_what_was_published_is_read(tmp_path: Path) -> None:
    """A commit that was reported as failed had happened: nothing may be skipped for who is in step."""
    async with told(tmp_path) as services, raw(services.port) as connection:
        await connection.send(request(services.path))
        await services.in_step(1)
        publish = services.hub.publish
        services.hub.publish = lambda events, over=False: None  # type: ignore[method-assign]
        await services.tell("two")
        services.hub.publish = publish  # type: ignore[method-assign]
        await services.tell("three")
        await services.tell("four", over=True)
        assert (await connection.answer()).body == services.bytes()


# --- out of step ------------------------------------------------------------------------------------

LARGE = "x" * 100_000


async def narrow(services: Told) -> socket.socket:
    """A stream that takes little at a time: nothing of it is read until the test does."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", services.port))
    sock.sendall(request(services.path, "Connection: close\r\n").encode())
    return sock


async def test_a_reader_that_falls_behind_catches_up_from_the_log_and_slows_nobody(tmp_path: Path) -> None:
    async with told(tmp_path) as services, raw(services.port) as quick:
        await quick.send(request(services.path))
        with await narrow(services) as slow:
            await services.in_step(2)
            answer = asyncio.create_task(quick.answer())
            for _ in range(100):  # 10 MB: more than the kernel holds for one connection
                await services.tell(LARGE)
            await services.tell("the last", over=True)
            assert (await answer).body == services.bytes()
            assert services.hub.subscribers == 1
            assert await anyio.to_thread.run_sync(dechunked, slow) == services.bytes()


async def test_a_reader_that_has_caught_up_is_in_step_again(tmp_path: Path) -> None:
    async with told(tmp_path) as services:
        with await narrow(services) as slow:
            await services.in_step(1)
            while services._in_step():
                await services.tell(LARGE)
            await anyio.to_thread.run_sync(read_at_least, slow, len(services.bytes()))
            await services.tell("small")
            await services.in_step(1)


async def test_a_reader_that_froze_in_step_is_cut_off_by_its_deadline(tmp_path: Path) -> None:
    async with told(tmp_path, send_timeout=0.2) as services:
        with await narrow(services):
            await services.in_step(1)
            while services._in_step():
                await services.tell(LARGE)
            while services.hub.subscribers:
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


# --- without ----------------------------------------------------------------------------------------


async def test_http_1_0_gets_the_same_without_chunks(tmp_path: Path) -> None:
    async with told(tmp_path) as services, raw(services.port) as connection:
        await connection.send(request(services.path).replace("1.1", "1.0"))
        await services.in_step(1)
        await services.tell("two")
        await services.tell("three", over=True)
        head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert body == services.bytes()


async def test_another_server_gets_the_same_through_plain_sends(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path))
    sock = listen()
    async with app.router.lifespan_context(app), serve(app, sock):
        parts: Services = app.state.services
        task = a_task(principal="local", state=State.RUNNING, stage="generating")
        await parts.store.create(task, REQUEST, [])
        services = Told(app=App(url=address(sock), parts=parts), task=task, texts=[])
        await services.tell("one")
        async with client(services.app.url) as http, http.stream("GET", services.path) as response:
            chunks = response.aiter_bytes()
            read = await anext(chunks)
            await services.tell("two", "three")
            await services.tell("four", over=True)
            read += b"".join([chunk async for chunk in chunks])
            assert read == services.bytes()
            assert services._in_step() == 0


async def test_a_bug_in_a_stream_cuts_it_off_and_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An end that looks regular would be taken for the end of the task."""
    async with told(tmp_path) as services:

        def broken(*_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("gencode.hub.channel.Channel.read", broken)
        async with client(services.app.url) as http:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await http.get(services.path)
        assert services.hub.subscribers == 0
    assert "ZeroDivisionError" in "".join(capsys.readouterr())
