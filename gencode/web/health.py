"""For orchestrators: alive, ready, and how it goes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gencode.errors import StoreError
from gencode.store import Query
from gencode.web.answers import Health
from gencode.web.parts import Parts, parts


async def livez(_request: Request) -> Response:
    """The event loop answers."""
    return Health(status="ok").response()


async def readyz(request: Request) -> Response:
    """New tasks are accepted, and the store answers."""
    reason = await _obstacle(parts(request))
    return (
        Health(status="unavailable", reason=reason).response(503)
        if reason
        else Health(status="ok").response()
    )


async def health(request: Request) -> Response:
    """What readyz says, with a few figures for people."""
    its = parts(request)
    ready = not await _obstacle(its)
    figures = {"running": its.manager.running, "waiting": its.manager.waiting}
    return Health(status="ok" if ready else "unavailable", **figures).response(200 if ready else 503)


async def _obstacle(its: Parts) -> str:
    """What keeps new tasks from being accepted."""
    try:
        await its.store.find(Query(limit=1))
    except StoreError as error:
        return error.message
    return "" if its.manager.accepting else "the service is stopping"


async def metrics(request: Request) -> Response:
    """The Prometheus text format."""
    return Response(parts(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
