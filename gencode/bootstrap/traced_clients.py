"""Wrappers of model providers, Git hosts and HTTP clients that record a span for each call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

import httpx

from gencode.engine.ports.tracing import Tracer
from gencode.githosts.port import GitHost, Repository, RepositorySpec, RepositoryState, Snapshot
from gencode.llm.port import ChatChunk, ChatRequest, OnSend, Provider


class TracedProvider:
    """A `gencode.llm.port.Provider`; attributes by OpenTelemetry's semantic conventions for generative AI."""

    def __init__(self, provider: Provider, tracer: Tracer) -> None:
        self._provider = provider
        self._tracer = tracer

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def native_prefix(self) -> bool:
        return self._provider.native_prefix

    @property
    def pause(self) -> float:
        return self._provider.pause

    async def stream(
        self, request: ChatRequest, on_send: OnSend | None = None
    ) -> AsyncGenerator[ChatChunk, None]:
        model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self.name}
        attributes = model | {"gen_ai.request.max_tokens": request.max_tokens}
        with self._tracer.span(f"chat {self.name}", attributes, kind="client", make_current=False) as span:
            async with aclosing(self._provider.stream(request, on_send)) as chunks:
                async for chunk in chunks:
                    if chunk.finish_reason:
                        span.set({"gen_ai.response.finish_reasons": (chunk.finish_reason,)})
                    if chunk.usage:
                        span.set(
                            {
                                "gen_ai.usage.input_tokens": chunk.usage.prompt,
                                "gen_ai.usage.output_tokens": chunk.usage.completion,
                            }
                        )
                    yield chunk


class TracedHost:
    """A `gencode.githosts.port.GitHost`."""

    def __init__(self, host: GitHost, tracer: Tracer) -> None:
        self._host = host
        self._tracer = tracer

    async def check(self, spec: RepositorySpec) -> None:
        with self._tracer.span("host check", {"gencode.host": spec.host or "default"}, kind="client"):
            await self._host.check(spec)

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        with self._tracer.span("host create", {"gencode.host": spec.host or "default"}, kind="client"):
            return await self._host.create(spec, snapshot)

    async def state(self, repo: Repository) -> RepositoryState | None:
        with self._tracer.span("host state", {"gencode.host": repo.host or "default"}, kind="client"):
            return await self._host.state(repo)

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        with self._tracer.span("host push", {"gencode.host": repo.host or "default"}, kind="client") as span:
            sha = await self._host.push(repo, snapshot)
            span.set({"vcs.ref.head.revision": sha})
            return sha


def propagate(client: httpx.AsyncClient, hosts: Collection[str], tracer: Tracer) -> httpx.AsyncClient:
    """Make the client send `traceparent` to these hosts, and to no other."""

    async def add_header(request: httpx.Request) -> None:
        if request.url.host in hosts and (traceparent := tracer.traceparent()):
            request.headers["traceparent"] = traceparent

    client.event_hooks["request"].append(add_header)
    return client
