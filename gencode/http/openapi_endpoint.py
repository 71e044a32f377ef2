"""GET /openapi.json, and the general parts of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse

from gencode import __version__
from gencode.http.common_declarations import EVERYWHERE
from gencode.http.openapi import OpenAPI
from gencode.http.operation import OperationGroup, operation
from gencode.http.parameter_types import JsonSchema
from gencode.http.response_specs import ResponseSpec
from gencode.http.task_models import Problem

DESCRIPTION = """\
A prompt becomes a pushed Git repository; every step is streamed.

Submit with `POST /api/v1/generate`, follow with `GET /api/v1/status/{task_id}` (server-sent events).
Every error is `application/problem+json` with a stable `code`.
"""
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key"},
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "For EventSource, which sends no headers: see POST /api/v1/task/{task_id}/ticket",
    },
}
DOCUMENT = ResponseSpec(description="The document", media_type="application/json", schema={"type": "object"})


def openapi_of(groups: Sequence[OperationGroup]) -> OpenAPI:
    return OpenAPI(groups, info=_info, everywhere=EVERYWHERE, security=SECURITY_SCHEMES, problem=Problem)


def get_openapi(request: Request) -> OpenAPI:
    return request.app.state.openapi  # type: ignore[no-any-return]  # Starlette's State is untyped


@operation("openapi", "GET /openapi.json", "This document", responses=(DOCUMENT,))
async def show(request: Request) -> JSONResponse:
    """`servers` names the path that the service is mounted under: the address is the document's own."""
    mount_path = quote(request.scope.get("root_path", "")) or "/"
    return JSONResponse({**get_openapi(request).document, "servers": [{"url": mount_path}]})


def _info() -> JsonSchema:
    return {
        "title": "gencode",
        "version": __version__,
        "summary": "Prompt in, Git repository out.",
        "description": DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
