"""Records a span for each request, by OpenTelemetry's conventions for HTTP servers."""

from __future__ import annotations

from inspect import isroutine

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gencode.engine.ports.tracing import Tracer

_PROBES = ("/livez", "/readyz", "/health", "/metrics")
"""Paths without traces: they are requested every few seconds, and would outnumber all others."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
"""Standard methods. Any other method is arbitrary text of the client, and recorded as _OTHER by the
conventions."""


class TracingMiddleware:
    """ASGI middleware. The span of an event stream lasts as long as the stream.

    It has the route, never the address: that may contain a ticket.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(_PROBES):
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
        attributes = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with tracer.span(method, attributes, kind="server", parent=parent) as span:

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = _route(scope)
                    span.set({"http.response.status_code": message["status"], "http.route": route})
                    span.rename(f"{method} {route}".strip())
                    if message["status"] >= 500:
                        span.fail(str(message["status"]))
                await send(message)

            await self._app(scope, receive, send_traced)


def _route(scope: Scope) -> str:
    """The route, such as `/api/v1/task/{task_id}`; empty if no route matched, since the path is then
    arbitrary text."""
    if not isroutine(scope.get("endpoint")):  # a mounted application is no route yet
        return ""
    route: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        route = route.replace(f"/{value}", f"/{{{name}}}", 1)
    return route
