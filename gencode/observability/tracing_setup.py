"""Which tracer there is: one that sends if a collector is configured, else the one that does nothing."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gencode.domain.errors import StartError
from gencode.engine.tracing import NoopTracer, Tracer


@asynccontextmanager
async def tracing(
    endpoint: str, headers: Mapping[str, str], service: str, version: str
) -> AsyncIterator[Tracer]:
    """See gencode.observability.otlp. Raises StartError when the libraries for it are missing."""
    if not endpoint:
        yield NoopTracer()
        return
    try:
        # Here, not above: OpenTelemetry takes a third of a second and 20 MB, and is an extra.
        otlp = importlib.import_module("gencode.observability.otlp")
    except ModuleNotFoundError as error:
        raise StartError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is missing: pip install 'gencode[otel]'"
        ) from None
    async with otlp.exporting(endpoint, headers, service, version) as tracer:
        yield tracer
