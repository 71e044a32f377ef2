"""The client against servers that do what services do: refuse, restart, hang up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gencode import client as module
from gencode.client import Client, Message, ServiceError
from gencode.embedded.server import address, listen, serve
from tests.servers.peer import closed_port

Answer = Callable[[Request], Awaitable[Response]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.001)


class Scripted:
    """Answers each stream request with the next of `streams`; the task is over at `last`."""

    def __init__(self, *streams: Response, last: int = 3) -> None:
        self.streams = list(streams)
        self.last = last
        self.asked: list[str] = []

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Client]:
        routes = [
            Route("/api/v1/status/{id}", self._stream),
            Route("/api/v1/task/{id}", self._task),
            Route("/api/v1/generate", self._submit, methods=["POST"]),
        ]
        sock = listen()
        async with serve(Starlette(routes=routes), sock), Client(address(sock), key="k") as client:
            yield client

    async def _stream(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer k"
        self.asked.append(request.headers["last-event-id"])
        return self.streams.pop(0)

    async def _task(self, request: Request) -> Response:
        over = not self.streams
        return JSONResponse({"last_event_id": self.last, "status": "completed" if over else "generating"})

    async def _submit(self, request: Request) -> Response:
        return self.streams.pop(0)


def stream(*ids: int, more: bytes = b"") -> Response:
    events = b"".join(b'event: status\nid: %d\ndata: {"n":%d}\n\n' % (n, n) for n in ids)
    return StreamingResponse(iter([events, more]), media_type="text/event-stream")


def problem(status: int, code: str) -> Response:
    return JSONResponse({"code": code, "detail": "what to do"}, status)


async def heard(client: Client, after: int = 0) -> list[Message]:
    return [message async for message in client.events("t", after)]


async def test_a_whole_stream_is_heard_once() -> None:
    scripted = Scripted(stream(1, 2, 3))
    async with scripted() as client:
        messages = await heard(client)
    assert [(m.id, m.kind, m.data) for m in messages] == [(n, "status", {"n": n}) for n in (1, 2, 3)]
    assert scripted.asked == ["0"]


async def test_it_goes_on_after_the_last_event_it_heard() -> None:
    scripted = Scripted(stream(1), stream(), stream(2, 3))
    async with scripted() as client:
        assert [m.id for m in await heard(client)] == [1, 2, 3]
    assert scripted.asked == ["0", "1", "1"]


async def test_live_messages_move_nothing() -> None:
    delta = b'event: delta\ndata: {"text":"x"}\n\n'
    scripted = Scripted(stream(1, more=delta), stream(2, 3))
    async with scripted() as client:
        assert [(m.id, m.kind) for m in await heard(client)] == [
            (1, "status"),
            (0, "delta"),
            (2, "status"),
            (3, "status"),
        ]


async def test_a_service_that_restarts_is_waited_for() -> None:
    scripted = Scripted(stream(1), problem(503, "SHUTTING_DOWN"), Response("bad gateway", 503), stream(2, 3))
    async with scripted() as client:
        assert [m.id for m in await heard(client)] == [1, 2, 3]


async def test_204_is_the_end() -> None:
    async with Scripted(Response(status_code=204))() as client:
        assert await heard(client, after=3) == []


@pytest.mark.parametrize(
    ("answer", "code"), [(problem(404, "NOT_FOUND"), "NOT_FOUND"), (Response("<html>", 404), "UNEXPECTED")]
)
async def test_a_refusal_is_told_with_its_code(answer: Response, code: str) -> None:
    async with Scripted(answer)() as client:
        with pytest.raises(ServiceError) as caught:
            await heard(client)
    assert (caught.value.status, caught.value.code) == (404, code)
    assert code in str(caught.value)


async def test_a_submission_that_is_refused_raises_even_when_the_service_restarts() -> None:
    async with Scripted(problem(503, "SHUTTING_DOWN"))() as client:
        with pytest.raises(ServiceError, match="SHUTTING_DOWN"):
            await client.submit("p", "r")


async def test_where_nobody_listens_the_transport_s_error_comes_out() -> None:
    async with Client(f"http://127.0.0.1:{closed_port()}") as client:
        with pytest.raises(module.httpx.ConnectError):
            await client.submit("p", "r")
