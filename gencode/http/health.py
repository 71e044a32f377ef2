"""For orchestrators: alive, ready, and how it goes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import StoreError
from gencode.engine.store import TaskQuery
from gencode.http.services import Services, get_services
from gencode.http.views import Health


async def livez(_request: Request) -> Response:
    """The event loop answers."""
    return Health(status="ok").response()


async def readyz(request: Request) -> Response:
    """New tasks are accepted, and the store answers."""
    reason = await _obstacle(get_services(request))
    return (
        Health(status="unavailable", reason=reason).response(503)
        if reason
        else Health(status="ok").response()
    )


async def health(request: Request) -> Response:
    """What readyz says, with a few figures for people."""
    services = get_services(request)
    ready = not await _obstacle(services)
    figures = {"running": services.task_service.running, "waiting": services.task_service.waiting}
    return Health(status="ok" if ready else "unavailable", **figures).response(200 if ready else 503)


async def _obstacle(services: Services) -> str:
    """What keeps new tasks from being accepted."""
    try:
        await services.store.find(TaskQuery(limit=1))
    except StoreError as error:
        return error.message
    return "" if services.task_service.accepting else "the service is stopping"


async def metrics(request: Request) -> Response:
    """The Prometheus text format."""
    return Response(
        get_services(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
