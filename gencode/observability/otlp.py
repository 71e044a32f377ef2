"""OpenTelemetry traces, exported over OTLP/HTTP. Imported only when a collector is configured."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import anyio
import anyio.to_thread
import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests.adapters import HTTPAdapter

from gencode.domain.errors import GencodeError
from gencode.engine.ports.tracing import Kind, Span, Value
from gencode.outbound.transport import Outbound

EXPORT_TIMEOUT = 3.0
"""Seconds for one batch, with its retries: an unreachable collector must not delay the end of the process."""
MAX_ANSWER = 16 * 1024
"""Bytes of the collector's answer, of which only the status matters."""
_KINDS: Mapping[Kind, trace.SpanKind] = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
}
_HEADER = "traceparent"


@asynccontextmanager
async def otlp_tracer(
    endpoint: str, headers: Mapping[str, str], service: str, version: str, outbound: Outbound
) -> AsyncIterator[OtlpTracer]:
    """A tracer that exports to `endpoint`/v1/traces; remaining spans are exported on exit.

    The library exports from its own thread, buffers at most 2,048 spans, and drops further ones.
    """
    exporter = OTLPSpanExporter(
        f"{endpoint.rstrip('/')}/v1/traces",
        headers=headers,
        timeout=EXPORT_TIMEOUT,
        session=make_session(endpoint, outbound),
    )
    resource = Resource.create({"service.name": service, "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield OtlpTracer(provider.get_tracer("gencode", version))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(provider.shutdown)


def make_session(endpoint: str, outbound: Outbound) -> requests.Session:
    """Without the proxies and the .netrc of the environment."""
    session = requests.Session()
    session.trust_env = False
    if proxy := outbound.proxies.proxy_for_url(endpoint):
        session.proxies = {"http": proxy, "https": proxy}
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(outbound.tls))
    return session


class _Adapter(HTTPAdapter):
    """Trusts the certificate authorities that the service's other clients trust, and reads only the beginning
    of an answer: requests would receive and inflate all of it."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__()

    def send(self, *args: Any, **options: Any) -> requests.Response:
        response = super().send(*args, **(options | {"stream": True}))
        whole = response.raw
        response.raw = io.BytesIO(whole.read(MAX_ANSWER, decode_content=False))
        whole.close()
        return response

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._tls)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._tls)


class OtlpTracer:
    """A `gencode.engine.ports.tracing.Tracer`. The current span, the parent of new ones, is a context
    variable."""

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
        make_current: bool = True,
    ) -> Iterator[Span]:
        parent_context = self._propagator.extract({_HEADER: parent}) if parent else None
        started = self._tracer.start_span(name, parent_context, _KINDS[kind], attributes)
        # No automatic recording of exceptions: their messages could quote a prompt or a file.
        no_recording = {"end_on_exit": False, "record_exception": False, "set_status_on_exception": False}
        span = _Span(started)
        try:
            with trace.use_span(started, **no_recording) if make_current else nullcontext():
                yield span
        except (asyncio.CancelledError, GeneratorExit):
            raise  # the client disconnected, or the service stops: not an error of the operation
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
