"""Which tracer there is: one that sends if a collector is configured, else the one that does nothing."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gencode.errors import StartError
from gencode.trace import Tracer, Untraced


@asynccontextmanager
async def tracing(
    endpoint: str, headers: Mapping[str, str], service: str, version: str
) -> AsyncIterator[Tracer]:
    """See gencode.traces.otlp. Raises StartError when the libraries for it are missing."""
    if not endpoint:
        yield Untraced()
        return
    try:
        # Here, not above: OpenTelemetry takes a third of a second and 20 MB, and is an extra.
        otlp = importlib.import_module("gencode.traces.otlp")
    except ModuleNotFoundError as error:
        raise StartError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is missing: pip install 'gencode[otel]'"
        ) from None
    async with otlp.exporting(endpoint, headers, service, version) as tracer:
        yield tracer
