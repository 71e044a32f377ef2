"""The routes and middlewares of the application, CORS included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import Lifespan

from gencode.auth.key_authenticator import ApiKeyAuthenticator
from gencode.domain.errors import GencodeError
from gencode.http import docs_page, kind_list, openapi_endpoint, probes, problems, webhook_secret
from gencode.http.authentication import AuthenticationMiddleware
from gencode.http.body_limits import BodyLimitMiddleware, BodyLimits
from gencode.http.common_declarations import API_ERRORS
from gencode.http.kinds import KindRegistry
from gencode.http.large_response import LargeBodyMiddleware, UnsentBodies
from gencode.http.links import API
from gencode.http.openapi_endpoint import openapi_of
from gencode.http.operation import Operation, OperationGroup
from gencode.http.security_middleware import SecurityMiddleware, SecurityRules
from gencode.http.submit_operation import submit_operation
from gencode.http.task_event_stream import follow_operation
from gencode.http.task_operations import task_operations
from gencode.http.tracing import TracingMiddleware

_EXPOSED_HEADERS = [
    "Location",
    "ETag",
    "Accept-Ranges",
    "Content-Range",
    "Content-Disposition",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Idempotency-Replayed",
]
"""Response headers that pages of other origins may read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppOperations:
    """Operations of the packages above this one.

    public  outside the API's path, without a key
    api     below the API
    """

    public: Sequence[Operation] = ()
    api: Sequence[Operation] = ()


NO_OPERATIONS = AppOperations()


def build(
    lifespan: Lifespan[Starlette],
    keys: ApiKeyAuthenticator,
    rules: SecurityRules,
    kinds: KindRegistry,
    operations: AppOperations = NO_OPERATIONS,
    more_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application; `lifespan` must set `app.state.services` before it yields.

    more_routes  ASGI applications, such as the page's files
    """
    api, public = _api_group(kinds, operations.api), _public_group(operations.public)
    limits = BodyLimits(rules.max_body, rules.max_file, API, api.operations)
    app = Starlette(
        routes=[
            # Routes are tried in this order.
            Mount(
                API,
                Router(api.routes(), redirect_slashes=False),
                middleware=[Middleware(AuthenticationMiddleware, keys=keys, public=api.public_paths)],
            ),
            *public.routes(),
            *more_routes,
        ],
        middleware=[
            Middleware(TracingMiddleware),
            *_cors(rules),
            Middleware(SecurityMiddleware, rules=rules, limits=limits),
            Middleware(LargeBodyMiddleware, unsent=UnsentBodies()),
            Middleware(BodyLimitMiddleware, limits=limits),
        ],
        exception_handlers={
            GencodeError: problems.on_gencode_error,
            HTTPException: problems.on_http_exception,
            ClientDisconnect: problems.on_client_disconnect,
        },
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which the client chooses.
    app.router.redirect_slashes = False
    app.state.openapi = openapi_of((api, public))
    return app


def build_probes(lifespan: Lifespan[Starlette]) -> Starlette:
    """An application with nothing but probes and metrics, for a process that serves no requests."""
    group = OperationGroup(operations=(probes.livez, probes.readyz, probes.metrics))
    return Starlette(routes=group.routes(), lifespan=lifespan)


def _api_group(kinds: KindRegistry, operations: Sequence[Operation]) -> OperationGroup:
    return OperationGroup(
        prefix=API,
        security=("bearer", "header"),
        errors=API_ERRORS,
        operations=(
            *(submit_operation(kind) for kind in kinds),
            follow_operation(kinds),
            *task_operations(kinds),
            *kinds.operations,
            kind_list.list_kinds,
            webhook_secret.get_secret,
            *operations,
        ),
    )


def _public_group(operations: Sequence[Operation]) -> OperationGroup:
    return OperationGroup(
        operations=(
            *operations,
            probes.livez,
            probes.readyz,
            probes.health,
            probes.metrics,
            openapi_endpoint.show,
            docs_page.show,
        )
    )


def _cors(rules: SecurityRules) -> list[Middleware]:
    """The CORS middleware, for the web sites that may use the API from a browser. Cookies are not used, so no
    credentials are allowed."""
    if not rules.origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(rules.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Idempotency-Key",
                "Last-Event-ID",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Range",
                "If-Range",
            ],
            expose_headers=_EXPOSED_HEADERS,
        )
    ]
