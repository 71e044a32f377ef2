"""A scripted receiver of webhooks, on real uvicorn.

async with receiver() as hooks:                       # answers 204
async with receiver([500, 204]) as hooks:             # one after the other, then the last for ever
async with receiver(lambda seen: 204) as hooks:       # computed; may be a coroutine
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen, serve


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it was received."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Answered = int | Reply
Script = Answered | Sequence[Answered] | Callable[[Seen], Answered | Awaitable[Answered]]


class Receiver:
    """`seen`: the requests so far, in the order of arrival."""

    def __init__(self, script: Script, url: str) -> None:
        self._script = script
        self._arrived = anyio.Event()
        self.url = url
        self.seen: list[Seen] = []

    async def until(self, enough: Callable[[list[Seen]], bool]) -> list[Seen]:
        while not enough(self.seen):
            await self._arrived.wait()
        return self.seen

    async def count(self, number: int) -> list[Seen]:
        return await self.until(lambda seen: len(seen) >= number)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        seen = Seen(path=path, headers=dict(request.headers), body=await request.body())
        self.seen.append(seen)
        arrived, self._arrived = self._arrived, anyio.Event()
        arrived.set()
        reply = await self._reply(seen)
        await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)

    async def _reply(self, seen: Seen) -> Reply:
        script = self._script
        if callable(script):
            script = script(seen)
            answered = await script if inspect.isawaitable(script) else script
        elif isinstance(script, Sequence):
            answered = script[min(len(self.seen), len(script)) - 1]
        else:
            answered = script
        return Reply(status=answered) if isinstance(answered, int) else answered


@asynccontextmanager
async def receiver(script: Script = 204, port: int = 0) -> AsyncIterator[Receiver]:
    sock = listen(port)
    served = Receiver(script, address(sock))
    async with serve(served, sock):
        yield served
