"""An OpenAI-compatible /embeddings API for tests: a vector counts the characters of a text.

async with embeddings_server() as server:      # server.base_url
    server.asked                                # the inputs of each request
    server.gated_at = 2                         # the third request waits; server.arrived says that it does
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen, serve


@dataclass
class EmbeddingsServer:
    """refused  a text that has this part is answered with 400
    gated_at  the number of the request, from 0, that waits until `released`; None: none
    arrived   set when that request has arrived
    """

    base_url: str = ""
    dimensions: int = 8
    refused: str = "\0"
    gated_at: int | None = None
    arrived: anyio.Event = field(default_factory=anyio.Event)
    released: anyio.Event = field(default_factory=anyio.Event)
    asked: list[list[str]] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        body = json.loads(await request.body())
        number = len(self.asked)
        self.asked.append(body["input"])
        self.bodies.append(body)
        if number == self.gated_at:
            self.arrived.set()
            await self.released.wait()
        if any(self.refused in text for text in body["input"]):
            return JSONResponse({"error": {"message": "refused by the filter"}}, 400)
        dimensions = body.get("dimensions", self.dimensions)
        data = [
            {"index": n, "embedding": vector_of(text, dimensions)} for n, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": sum(len(text) for text in body["input"])}
        return JSONResponse({"data": data, "usage": usage})


def vector_of(text: str, dimensions: int) -> list[float]:
    vector = [0.01] * dimensions
    for character in text:
        vector[ord(character) % dimensions] += 1.0
    return vector


@asynccontextmanager
async def embeddings_server() -> AsyncIterator[EmbeddingsServer]:
    server, sock = EmbeddingsServer(), listen()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await server.answer(Request(scope, receive))
        await response(scope, receive, send)

    async with serve(app, sock):
        server.base_url = f"{address(sock)}/v1"
        try:
            yield server
        finally:
            server.released.set()
