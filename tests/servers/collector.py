"""A collector of traces in OTLP over HTTP that stores what it receives.

async with collector() as collected:
    ... OTEL_EXPORTER_OTLP_ENDPOINT=collected.endpoint ...
    spans = collected.named("task ")
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gencode.embedded.server import address, listen, serve


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, Any]
    failed: bool


@dataclass(kw_only=True)
class Collected:
    """`bodies`: decompressed; `headers`: of each request."""

    endpoint: str
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)

    def named(self, start: str) -> list[Span]:
        return [span for span in self.spans if span.name.startswith(start)]

    def path(self, span: Span) -> list[str]:
        """Names from the topmost collected span down to this one."""
        above = [other for other in self.spans if other.id == span.parent]
        return [*(self.path(above[0]) if above else []), span.name]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body)
        self.headers.append(request.headers)
        for batch in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource |= {pair.key: pair.value.string_value for pair in batch.resource.attributes}
            self.spans += [_span(span) for scope in batch.scope_spans for span in scope.spans]
        return Response(media_type="application/x-protobuf")


def _span(span: Any) -> Span:
    return Span(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes={pair.key: _value(pair.value) for pair in span.attributes},
        failed=span.status.code == 2,
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return (
        [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)
    )


@asynccontextmanager
async def collector() -> AsyncIterator[Collected]:
    sock = listen()
    collected = Collected(endpoint=address(sock))
    app = Starlette(routes=[Route("/v1/traces", collected.take, methods=["POST"])])
    async with serve(app, sock):
        yield collected
