"""Requests as spans, by OpenTelemetry's conventions for HTTP servers."""

from __future__ import annotations

from inspect import isroutine

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gencode.engine.tracing import Tracer

_QUIET = ("/livez", "/readyz", "/health", "/metrics")
"""Asked for every few seconds by machines; a trace of each would bury the others."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
"""Others are anybody's text (OpenTelemetry's conventions call them all _OTHER)."""


class TracingMiddleware:
    """ASGI middleware. The span of an event stream lasts as long as the stream.

    It tells the route, never the address: that may hold a ticket.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(_QUIET):
            await self._app(scope, receive, send)
            return
        tracer: Tracer = scope["app"].state.services.tracer
        if tracer.idle:
            await self._app(scope, receive, send)
            return
        await self._trace(tracer, scope, receive, send)

    async def _trace(self, tracer: Tracer, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = Headers(scope=scope).get("traceparent", "")
        about = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with tracer.span(method, about, kind="server", parent=parent) as span:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = _route(scope)
                    span.set({"http.response.status_code": message["status"], "http.route": route})
                    span.rename(f"{method} {route}".strip())
                    if message["status"] >= 500:
                        span.fail(str(message["status"]))
                await send(message)

            await self._app(scope, receive, noted)


def _route(scope: Scope) -> str:
    """`/api/v1/task/{task_id}`; empty when no route matched: what was asked for then is anybody's text."""
    if not isroutine(scope.get("endpoint")):  # a mounted application is no route yet
        return ""
    route: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        route = route.replace(f"/{value}", f"/{{{name}}}", 1)
    return route
