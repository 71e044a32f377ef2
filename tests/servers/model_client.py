"""Calls a model server through our own provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gencode.llm.account_limiter import Account
from gencode.llm.http_client import model_client
from gencode.llm.model_route import OpenedModel, OpenModel
from gencode.llm.openai.provider import OpenAICompatibleProvider
from gencode.llm.port import ChatChunk, ChatRequest, Message, Provider, Usage
from gencode.observability.metrics import Metrics

KEY = "sk-test-4f9c1d7e"
ASK = ChatRequest(messages=(Message(role="user", content="Say hello."),), max_tokens=100)


class FakeTime:
    """A clock that only sleeping advances. `slept`: each pause, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True, kw_only=True)
class CollectedAnswer:
    """A complete answer and its chunks."""

    text: str
    finish: str | None
    usage: Usage | None
    chunks: list[ChatChunk] = field(repr=False)


@asynccontextmanager
async def provider_for(base_url: str, **options: Any) -> AsyncIterator[OpenAICompatibleProvider]:
    """A provider for the server at `base_url` with connections of its own, whose pauses take no time;
    `options` as of the class."""
    time = FakeTime()
    options = {"metrics": Metrics(), "account": Account(clock=time.clock, sleep=time.sleep), **options}
    async with model_client() as client:
        yield OpenAICompatibleProvider("test", "some-model", base_url, KEY, client=client, **options)


def opening(provider: Provider) -> OpenModel:
    """Opens every model as this one, without a price."""

    async def open_model(name: str, principal: str) -> OpenedModel:
        return OpenedModel(name=name, provider=provider, price=None)

    return open_model


async def collect(provider: Provider, request: ChatRequest = ASK) -> CollectedAnswer:
    """One attempt, read to its end."""
    async with aclosing(provider.stream(request)) as stream:
        chunks = [chunk async for chunk in stream]
    finishes = [chunk.finish_reason for chunk in chunks if chunk.finish_reason]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(finishes) == 1
    text = "".join(chunk.text for chunk in chunks)
    return CollectedAnswer(text=text, finish=finishes[0], usage=usages[-1] if usages else None, chunks=chunks)
