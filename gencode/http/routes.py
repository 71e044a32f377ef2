"""Every address of the service."""

from __future__ import annotations

from collections.abc import Sequence

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
    api_document,
    estimate,
    events,
    files,
    generate,
    health,
    plan,
    problems,
    reference,
    tasks,
    webhooks,
)
from gencode.http.api_document import openapi_of
from gencode.http.authentication import AuthenticationMiddleware
from gencode.http.links import API
from gencode.http.operation import Operation, OperationGroup
from gencode.http.security import SecurityMiddleware, SecurityRules
from gencode.http.tracing import TracingMiddleware
from gencode.http.traits import KEYED
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


def build(
    lifespan: Lifespan[Starlette], keys: ApiKeys, rules: SecurityRules, contributed: Sequence[Operation] = ()
) -> Starlette:
    """The application; `lifespan` must set `app.state.services` before it yields.

    contributed   operations that other packages define, below the API's prefix and with its security
    """
    page = Page()
    api, open_ = _api(contributed), _open(page)
    app = Starlette(
        routes=[
            *open_.routes(),
            Mount("/page", page),
            Route("/mcp", MCP(), middleware=[Middleware(AuthenticationMiddleware, keys=keys)]),
            Mount(
                API,
                Router(api.routes(), redirect_slashes=False),
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
    app.state.openapi = openapi_of((api, open_))
    return app


def _api(contributed: Sequence[Operation]) -> OperationGroup:
    return OperationGroup(
        prefix=API,
        security=("bearer", "header"),
        errors=KEYED,
        operations=(
            generate.generate,
            estimate.estimate,
            events.status,
            tasks.listing,
            tasks.show,
            plan.approve,
            files.archive,
            tasks.bundle,
            tasks.cancel,
            files.listing,
            files.show,
            plan.show,
            plan.change,
            tasks.report,
            tasks.retry,
            tasks.ticket,
            webhooks.secret,
            *contributed,
        ),
    )


def _open(page: Page) -> OperationGroup:
    return OperationGroup(
        operations=(
            routes.slack,
            routes.mattermost,
            health.livez,
            health.readyz,
            health.health,
            health.metrics,
            api_document.show,
            reference.show,
            page.operation(),
        )
    )


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
