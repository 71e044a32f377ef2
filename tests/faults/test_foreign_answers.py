"""Row 143: what answers at the service's address, at its port, or as its collector, is another program."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gencode.bootstrap.doctor.local_checks import check_port
from gencode.client import Client, ServiceError, bounded_response
from gencode.embedded.server import address, listen, serve
from gencode.githosts.http_client import http_client
from gencode.observability.otlp import MAX_ANSWER, make_session
from gencode.outbound.transport import Outbound
from tests.servers.service import settings

LARGE = 64 * 2**20
BOMB = gzip.compress(b"\n" * LARGE)
pytestmark = pytest.mark.fault(143)


class Stranger:
    """Answers every request with one body, packed or without end. `sent`: bytes of it."""

    def __init__(self, status: int, media_type: str, kind: str) -> None:
        self.url = ""
        self.sent = 0
        self._status = status
        self._media_type = media_type
        self._kind = kind

    async def answer(self, request: Request) -> Response:
        if self._kind == "endless":
            return StreamingResponse(self._parts(request), self._status, media_type=self._media_type)
        encoding = "gzip" if self._kind == "gzip" else "gzip, gzip"
        body = BOMB if self._kind == "gzip" else gzip.compress(BOMB)
        return Response(body, self._status, {"content-encoding": encoding}, self._media_type)

    async def _parts(self, request: Request) -> AsyncIterator[bytes]:
        while self.sent < LARGE and not await request.is_disconnected():
            self.sent += 2**16
            yield b"data: " + b"x" * (2**16 - 7) + b"\n"


@asynccontextmanager
async def stranger(status: int, media_type: str, kind: str) -> AsyncIterator[Stranger]:
    found = Stranger(status, media_type, kind)
    routes = [Route("/{path:path}", found.answer, methods=["GET", "POST"])]
    sock = listen()
    found.url = address(sock)
    async with serve(Starlette(routes=routes), sock):
        tracemalloc.start()
        try:
            yield found
            assert tracemalloc.get_traced_memory()[1] < LARGE / 2
        finally:
            tracemalloc.stop()
        assert found.sent < LARGE


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small enough for a test; the body of an error has its own."""
    monkeypatch.setattr(bounded_response, "MAX_BODY", 2**20)
    monkeypatch.setattr(bounded_response, "MAX_EVENT", 2**20)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("kind", ["gzip", "gzip twice", "endless"])
@pytest.mark.parametrize("status", [200, 400])
async def test_the_client_reads_a_bounded_answer(status: int, kind: str) -> None:
    async with stranger(status, "application/json", kind) as other, Client(other.url, patience=0) as client:
        for ask in (
            partial(client.task, "x"),
            partial(client.archive, "x"),
            partial(client.submit, "x", "x"),
        ):
            with pytest.raises(ServiceError) as failure:
                await ask()
            assert (failure.value.status, failure.value.code) == (status, "UNEXPECTED")


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("kind", ["gzip twice", "endless"])
async def test_the_client_reads_a_bounded_event(kind: str) -> None:
    async with stranger(200, "text/event-stream", kind) as other, Client(other.url, patience=0) as client:
        with pytest.raises(ServiceError, match="UNEXPECTED"):
            await anext(client.events("x"))


@pytest.mark.parametrize("kind", ["gzip", "gzip twice", "endless"])
async def test_the_doctor_reads_a_bounded_answer_of_the_port(tmp_path: Path, kind: str) -> None:
    async with stranger(200, "application/json", kind) as other, http_client() as http:
        chosen = settings(tmp_path, server_host="127.0.0.1", server_port=int(other.url.rpartition(":")[2]))
        found = await check_port(chosen, "the folder is in use", http)
        assert (found.state, found.advice) == ("note", "the folder is in use")


@pytest.mark.parametrize("kind", ["gzip", "gzip twice", "endless"])
async def test_of_a_collectors_answer_the_beginning_is_read(kind: str) -> None:
    async with stranger(200, "application/x-protobuf", kind) as other:
        with make_session(other.url, Outbound()) as session:
            answer = await anyio.to_thread.run_sync(lambda: session.post(f"{other.url}/v1/traces", b""))
        assert answer.ok
        assert len(answer.content) <= MAX_ANSWER
