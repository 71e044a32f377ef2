"""Selects the tracer: OTLP if a collector is configured, else one that does nothing."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gencode.domain.errors import StartError
from gencode.engine.ports.tracing import NoopTracer, Tracer
from gencode.outbound.transport import Outbound


@asynccontextmanager
async def configured_tracer(
    endpoint: str, headers: Mapping[str, str], service: str, version: str, outbound: Outbound
) -> AsyncIterator[Tracer]:
    """The tracer for `endpoint`, which is empty without a collector; other arguments as in `otlp_tracer`.

    Raises StartError when OpenTelemetry is not installed.
    """
    if not endpoint:
        yield NoopTracer()
        return
    try:
        # Imported on demand: OpenTelemetry takes a third of a second and 20 MB to import, and is an extra.
        otlp = importlib.import_module("gencode.observability.otlp")
    except ModuleNotFoundError as error:
        raise StartError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is missing: install gencode with "
            "its extra `otel` (in a checkout: pip install '.[otel]')"
        ) from None
    async with otlp.otlp_tracer(endpoint, headers, service, version, outbound) as tracer:
        yield tracer
