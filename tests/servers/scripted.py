"""A scripted service for tests of clients: it answers, refuses and closes connections as scripted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gencode.client import Client
from gencode.embedded.server import address, listen, serve


class Lost(Response):
    """Closes the connection in place of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send.__self__.transport.abort()  # type: ignore[attr-defined]


@dataclass
class Scripted:
    """Answers the requests of each path (`"POST /generate"`, `"GET /status/t"`) in sequence; the last one is
    repeated."""

    answers: dict[str, Sequence[Response]]
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @asynccontextmanager
    async def __call__(self, **more: Any) -> AsyncIterator[Client]:
        async with self.served() as url, Client(url, sleep=self.sleep, **more) as client:
            yield client

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        sock = listen()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(scope, receive, send)

        async with serve(app, sock):
            yield address(sock)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await anyio.sleep(0)

    def asked(self, what: str) -> list[Request]:
        return [request for request in self.requests if _name(request) == what]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        self.bodies.append(await request.body())
        name = _name(request)
        answers = self.answers.get(name, [Response(status_code=404)])
        answer = answers[min(self._counts[name], len(answers) - 1)]
        self._counts[name] += 1
        await answer(scope, receive, send)


def _name(request: Request) -> str:
    return f"{request.method} {request.url.path.removeprefix('/api/v1')}"


def stream(*ids: int, more: bytes = b"") -> Response:
    events = b"".join(b'event: status\nid: %d\ndata: {"n":%d}\n\n' % (n, n) for n in ids)
    return StreamingResponse(iter([events, more]), media_type="text/event-stream")


def task(last: int, status: str = "completed") -> Response:
    return JSONResponse({"task_id": "t", "last_event_id": last, "status": status})


def problem(status: int, code: str, **headers: str) -> Response:
    return JSONResponse({"code": code, "detail": "what to do"}, status, headers)
