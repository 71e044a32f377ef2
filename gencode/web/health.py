"""For orchestrators: alive, ready, and how it goes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gencode.errors import StoreError
from gencode.store import Query
from gencode.web.parts import parts


async def livez(_request: Request) -> JSONResponse:
    """The event loop answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> JSONResponse:
    """New tasks are accepted, and the store answers."""
    its = parts(request)
    try:
        await its.store.find(Query(limit=1))
        reason = "" if its.manager.accepting else "the service is stopping"
    except StoreError as error:
        reason = error.message
    body = {"status": "unavailable", "reason": reason} if reason else {"status": "ok"}
    return JSONResponse(body, status_code=503 if reason else 200)


async def health(request: Request) -> JSONResponse:
    """What readyz says, with a few figures for people."""
    its = parts(request)
    answer = await readyz(request)
    ready = answer.status_code == 200
    figures = {"running": its.manager.running, "waiting": its.manager.waiting}
    return JSONResponse({"status": "ok" if ready else "unavailable", **figures}, answer.status_code)


async def metrics(request: Request) -> Response:
    """The Prometheus text format."""
    return Response(parts(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
