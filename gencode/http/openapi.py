"""/openapi.json: the API as OpenAPI 3.1, made of the models that read requests and write answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse

from gencode.domain.errors import GencodeError, RequestError, SecretFound, StoreError
from gencode.http.operations.paths import paths
from gencode.http.plan_schema import PlanEdit, PlanView
from gencode.http.schemas import GenerateRequest, RetryRequest
from gencode.http.views import (
    Accepted,
    BundleView,
    ChatReply,
    EstimateView,
    FileList,
    Health,
    Problem,
    ReportView,
    TaskList,
    TaskView,
    TicketView,
    WebhookSecret,
)

DESCRIPTION = """\
A prompt becomes a pushed Git repository; every step is streamed.

Submit with `POST /api/v1/generate`, follow with `GET /api/v1/status/{task_id}` (server-sent events).
Every error is `application/problem+json` with a stable `code`.
"""
_REQUESTS: tuple[type[BaseModel], ...] = (GenerateRequest, RetryRequest, PlanEdit)
_ANSWERS: tuple[type[BaseModel], ...] = (
    Accepted,
    TaskView,
    TaskList,
    TicketView,
    ReportView,
    BundleView,
    EstimateView,
    FileList,
    PlanView,
    Health,
    Problem,
    WebhookSecret,
    ChatReply,
)


def endpoint() -> Callable[[Request], Awaitable[JSONResponse]]:
    """Serves the document, which is made once."""
    made = document()

    async def show(request: Request) -> JSONResponse:
        """The document's paths are below the one that the service is mounted under."""
        mounted = request.scope.get("root_path", "")
        return JSONResponse({**made, "servers": [{"url": quote(mounted)}]} if mounted else made)

    return show


def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gencode",
            "version": version("gencode"),
            "summary": "Prompt in, Git repository out.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths(),
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _schemas() -> dict[str, Any]:
    _, found = models_json_schema(
        [*((asked, "validation") for asked in _REQUESTS), *((model, "serialization") for model in _ANSWERS)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = found["$defs"]
    schemas["Problem"]["properties"]["code"]["enum"] = codes()
    return schemas


def codes() -> list[str]:
    """Every code that a request can be answered with."""
    found: list[type[GencodeError]] = [*_family(RequestError), SecretFound, StoreError, GencodeError]
    return sorted({error.code for error in found})


def _family(error: type[GencodeError]) -> list[type[GencodeError]]:
    """The classes under it that have a code of their own."""
    own = [error] if "code" in vars(error) else []
    return own + [found for child in error.__subclasses__() for found in _family(child)]


def _security() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key"},
        "ticket": {
            "type": "apiKey",
            "in": "query",
            "name": "ticket",
            "description": "For EventSource, which sends no headers: see POST /api/v1/task/{task_id}/ticket",
        },
    }
