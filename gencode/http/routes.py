"""Every address of the service."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route, Router
from starlette.types import Lifespan

from gencode.auth.api_keys import ApiKeys
from gencode.chatops import routes
from gencode.domain.errors import GencodeError
from gencode.http import (
    estimate,
    events,
    files,
    generate,
    health,
    openapi,
    plan,
    problems,
    reference,
    tasks,
    webhooks,
)
from gencode.http.authentication import AuthenticationMiddleware
from gencode.http.links import API
from gencode.http.security import SecurityMiddleware, SecurityRules
from gencode.http.tracing import TracingMiddleware
from gencode.mcp.endpoint import MCP
from gencode.ui.page import Page

_EXPOSED = [
    "Location",
    "ETag",
    "Content-Disposition",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Idempotency-Replayed",
]
"""Headers of answers that pages of other origins may read."""


def build(lifespan: Lifespan[Starlette], keys: ApiKeys, rules: SecurityRules) -> Starlette:
    """The application; `lifespan` must set `app.state.services` before it yields."""
    page = Page()
    app = Starlette(
        routes=[
            Route("/", page.home),
            Mount("/page", page),
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/health", health.health),
            Route("/metrics", health.metrics),
            Route("/openapi.json", openapi.endpoint()),
            Route("/docs", reference.endpoint()),
            Route("/integrations/slack", routes.slack, methods=["POST"]),
            Route("/integrations/mattermost", routes.mattermost, methods=["POST"]),
            Route("/mcp", MCP(), middleware=[Middleware(AuthenticationMiddleware, keys=keys)]),
            Mount(
                API,
                Router(_api(), redirect_slashes=False),
                middleware=[Middleware(AuthenticationMiddleware, keys=keys)],
            ),
        ],
        middleware=[
            Middleware(TracingMiddleware),
            *_cors(rules),
            Middleware(SecurityMiddleware, rules=rules),
            Middleware(RequestBodyLimitMiddleware, max_body_size=rules.max_body),
        ],
        exception_handlers={
            GencodeError: problems.on_gencode_error,
            HTTPException: problems.on_http_exception,
            ClientDisconnect: problems.on_departure,
        },
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which is whatever the client says.
    app.router.redirect_slashes = False
    return app


def _api() -> list[Route]:
    return [
        Route("/generate", generate.generate, methods=["POST"]),
        Route("/estimate", estimate.estimate, methods=["POST"]),
        Route("/status/{task_id}", events.status),
        Route("/tasks", tasks.listing),
        Route("/webhook-secret", webhooks.secret),
        Route("/task/{task_id}", tasks.show),
        Route("/task/{task_id}/cancel", tasks.cancel, methods=["POST"]),
        Route("/task/{task_id}/archive.zip", files.archive),
        Route("/task/{task_id}/files", files.listing),
        Route("/task/{task_id}/files/{path:path}", files.show),
        Route("/task/{task_id}/plan", plan.plan, methods=["GET", "PUT"]),
        Route("/task/{task_id}/approve", plan.approve, methods=["POST"]),
        Route("/task/{task_id}/report", tasks.report),
        Route("/task/{task_id}/bundle", tasks.bundle),
        Route("/task/{task_id}/retry", tasks.retry, methods=["POST"]),
        Route("/task/{task_id}/ticket", tasks.ticket, methods=["POST"]),
    ]


def _cors(rules: SecurityRules) -> list[Middleware]:
    """For the web sites that may use the API from a browser. No cookie is read: no credentials."""
    if not rules.origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(rules.origins),
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Idempotency-Key",
                "Last-Event-ID",
                "Content-Type",
                "If-Match",
                "If-None-Match",
            ],
            expose_headers=_EXPOSED,
        )
    ]
