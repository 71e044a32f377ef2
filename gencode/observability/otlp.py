"""Traces by OpenTelemetry, sent to a collector over OTLP/HTTP. Imported when they are configured only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext

import anyio
import anyio.to_thread
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gencode.domain.errors import GencodeError
from gencode.engine.tracing import Kind, Span, Value

SEND_SECONDS = 3.0
"""For one batch, attempts included: a collector that is away must not hold up the end of the process."""
_KINDS: Mapping[Kind, trace.SpanKind] = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
}
_HEADER = "traceparent"


@asynccontextmanager
async def exporting(
    endpoint: str, headers: Mapping[str, str], service: str, version: str
) -> AsyncIterator[Tracer]:
    """A tracer that sends to `endpoint`/v1/traces; leaving the block sends what is left.

    The library sends from a thread of its own, keeps 2,048 spans at most, and drops what comes beyond.
    """
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", headers=headers, timeout=SEND_SECONDS)
    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Tracer(provider.get_tracer("gencode", version))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(provider.shutdown)


class Tracer:
    """A `gencode.engine.tracing.Tracer`. The open span is a context variable: what is begun in it is below it."""

    idle = False

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: Kind = "internal",
        parent: str = "",
        opens: bool = True,
    ) -> Iterator[Span]:
        above = self._propagator.extract({_HEADER: parent}) if parent else None
        started = self._tracer.start_span(name, above, _KINDS[kind], attributes)
        # Without the library's own notes of exceptions: their texts could quote a prompt or a file.
        quiet = {"end_on_exit": False, "record_exception": False, "set_status_on_exception": False}
        span = _Span(started)
        try:
            with trace.use_span(started, **quiet) if opens else nullcontext():
                yield span
        except (asyncio.CancelledError, GeneratorExit):
            raise  # somebody left, or we stop: no failure of what was done
        except BaseException as error:
            span.fail(_code(error))
            raise
        finally:
            started.end()

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(_HEADER, "")


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, attributes: Mapping[str, Value]) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, code: str) -> None:
        self._span.set_attribute("error.type", code)
        self._span.set_status(trace.StatusCode.ERROR)


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, GencodeError) else type(error).__qualname__
