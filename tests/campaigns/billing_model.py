"""A model server for campaigns over all kinds: it answers as the offline model does, and bills each call with
a number of its own, by which the call is found in the service's databases.

async with billing_model(Random(1)) as model:      # model.base_url: chat completions and embeddings
    model.begin(incarnation)
    model.calls
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gencode.embedded.offline.completion import completion_text
from gencode.embedded.offline.openai_protocol import parse_request
from gencode.embedded.server import address, listen, serve
from tests.servers.embeddings import vector_of
from tests.servers.model import chunk, sse

FIRST = 7_000_001
"""The prompt tokens of the first call: no other number of the databases is as large and as odd."""
CHARACTERS_PER_TOKEN = 4
LONGEST = 0.3
"""Seconds that an answer takes at most."""
DIMENSIONS = 8


@dataclass
class BilledCall:
    """number   the prompt tokens that it is billed with
    content  a digest of what was asked; of an embedding, the texts
    text     the answer
    is_sent  completely, to a client that was there
    """

    number: int
    incarnation: int
    purpose: str
    content: str
    texts: Sequence[str] = ()
    text: str = ""
    is_sent: bool = False


@dataclass
class BillingModel:
    random: Random
    base_url: str = ""
    calls: list[BilledCall] = field(default_factory=list)
    _incarnation: int = 0

    def begin(self, incarnation: int) -> None:
        self._incarnation = incarnation

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        if request.url.path.endswith("/embeddings"):
            return await self._embeddings(json.loads(body))
        text = completion_text(parse_request(body))
        call = self._call(_purpose(json.loads(body)), body, text=text)
        return StreamingResponse(self._events(call), media_type="text/event-stream")

    def _call(self, purpose: str, body: bytes, **fields: Any) -> BilledCall:
        call = BilledCall(
            number=FIRST + 2 * len(self.calls),
            incarnation=self._incarnation,
            purpose=purpose,
            content=hashlib.sha256(body).hexdigest(),
            **fields,
        )
        self.calls.append(call)
        return call

    async def _events(self, call: BilledCall) -> AsyncIterator[bytes]:
        """The answer in about ten events."""
        size = max(1, len(call.text) // 10)
        pause = self.random.random() * LONGEST / 10
        for at in range(0, len(call.text), size):
            yield sse(chunk({"content": call.text[at : at + size]}))
            await anyio.sleep(pause)
        yield sse(chunk({}, "stop"))
        completion = 1 + len(call.text) // CHARACTERS_PER_TOKEN
        usage = {"prompt_tokens": call.number, "completion_tokens": completion}
        yield sse({"choices": [], "usage": usage | {"total_tokens": call.number + completion}})
        call.is_sent = True
        yield b"data: [DONE]\n\n"

    async def _embeddings(self, body: dict[str, Any]) -> Response:
        texts = list(body["input"])
        call = self._call("embeddings", json.dumps(texts).encode(), texts=texts)
        await anyio.sleep(self.random.random() * LONGEST)
        data = [{"index": n, "embedding": vector_of(text, DIMENSIONS)} for n, text in enumerate(texts)]
        call.is_sent = True
        return JSONResponse({"data": data, "usage": {"prompt_tokens": call.number}})


def _purpose(body: dict[str, Any]) -> str:
    first = str(body["messages"][0]["content"]).partition("\n")[0]
    return first.removeprefix("Task: ") if first.startswith("Task: ") else "generate"


@asynccontextmanager
async def billing_model(random: Random) -> AsyncIterator[BillingModel]:
    model, sock = BillingModel(random), listen()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await model.answer(Request(scope, receive))
        await response(scope, receive, send)

    async with serve(app, sock):
        model.base_url = f"{address(sock)}/v1"
        yield model
