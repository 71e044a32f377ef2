"""Every address of the service."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import Lifespan

from gencode.errors import GencodeError
from gencode.web import events, generate, health, page, problems, tasks
from gencode.web.auth import Authentication, Keys


def build(lifespan: Lifespan[Starlette], keys: Keys, loopback_only: bool, max_body: int) -> Starlette:
    """The application; `lifespan` must set `app.state.parts` before it yields."""
    guard = Middleware(Authentication, keys=keys, loopback_only=loopback_only)
    return Starlette(
        routes=[
            Route("/", page.home),
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/health", health.health),
            Route("/metrics", health.metrics),
            Mount("/api/v1", routes=_api(), middleware=[guard]),
        ],
        exception_handlers={
            GencodeError: problems.on_gencode_error,
            HTTPException: problems.on_http_exception,
            Exception: problems.on_unexpected,
        },
        lifespan=lifespan,
        max_body_size=max_body,
    )


def _api() -> list[Route]:
    return [
        Route("/generate", generate.generate, methods=["POST"]),
        Route("/status/{task_id}", events.status),
        Route("/tasks", tasks.listing),
        Route("/task/{task_id}", tasks.show),
        Route("/task/{task_id}/cancel", tasks.cancel, methods=["POST"]),
    ]
