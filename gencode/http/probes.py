"""The operations of probes and metrics: /livez, /readyz, /health and /metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import StoreError
from gencode.engine.ports.store import TaskQuery
from gencode.http.dependencies import Services, get_services
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.task_models import Health

LIVE = JsonResponseSpec(model=Health, description="The process is alive")
READY = JsonResponseSpec(model=Health, description="New tasks are accepted")
HEALTHY = JsonResponseSpec(model=Health, description="The service is healthy")
UNREADY = JsonResponseSpec(status=503, model=Health, description="New tasks are not accepted")
METRICS = ResponseSpec(description="The metrics", media_type="text/plain")


@operation("livez", "GET /livez", "Whether the process answers", responses=(LIVE,))
async def livez(_request: Request) -> Response:
    """Responds if the event loop runs."""
    return LIVE.make(Health(status="ok"))


@operation("readyz", "GET /readyz", "Whether new tasks are accepted", responses=(READY, UNREADY))
async def readyz(request: Request) -> Response:
    """Responds with 200 if new tasks are accepted, and the store can be read and written."""
    if reason := await _reason_unready(get_services(request)):
        return UNREADY.make(Health(status="unavailable", reason=reason))
    return READY.make(Health(status="ok"))


@operation("health", "GET /health", "Readiness, with figures", responses=(HEALTHY, UNREADY))
async def health(request: Request) -> Response:
    """Like /readyz, with the numbers of running and waiting tasks."""
    services = get_services(request)
    figures = {"running": services.task_service.running, "waiting": services.task_service.waiting}
    if await _reason_unready(services):
        return UNREADY.make(Health(status="unavailable", **figures))
    return HEALTHY.make(Health(status="ok", **figures))


async def _reason_unready(services: Services) -> str:
    """The reason why new tasks are not accepted; "" if they are."""
    try:
        await services.store.find(TaskQuery(limit=1))
    except StoreError as error:
        return error.message
    if not services.task_service.accepting:
        return "the service is stopping"
    return await services.write_probe.reason()


@operation("metrics", "GET /metrics", "Prometheus' text format", responses=(METRICS,))
async def metrics(request: Request) -> Response:
    """Responds with the metrics in the Prometheus text format."""
    return Response(
        get_services(request).metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
