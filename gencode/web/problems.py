"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gencode.errors import (
    BodyTooLarge,
    GencodeError,
    Internal,
    Invalid,
    Malformed,
    NotFound,
    Transient,
    WrongMethod,
)

log = structlog.get_logger(__name__)


def problem_response(
    _request: Request, error: GencodeError, headers: Mapping[str, str] | None = None
) -> Response:
    """`{"type", "title", "status", "detail", "code", "retryable"}`, and "errors" with each broken rule."""
    body: dict[str, Any] = {
        "type": f"urn:gencode:error:{error.code}",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "detail": error.message,
        "code": error.code,
        "retryable": error.retryable,
    }
    if isinstance(error, Invalid):
        body["errors"] = error.problems
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, error.http_status, _headers(error, headers), "application/problem+json")


def _headers(error: GencodeError, more: Mapping[str, str] | None) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", **(more or {})}
    if isinstance(error, Transient) and error.http_status in (429, 503):
        headers["Retry-After"] = str(math.ceil(error.retry_after or 1))
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="gencode"'
    return headers


async def on_gencode_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GencodeError)  # noqa: S101 - registered for this class only
    return problem_response(request, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: no such route, wrong method, body over the cap."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return problem_response(request, _from_http(request, error), error.headers)


async def on_unexpected(request: Request, error: Exception) -> Response:
    """A bug: the client gets a reference, the log gets the trace."""
    reference = secrets.token_hex(4)
    log.error("unexpected error", reference=reference, path=request.url.path, exc_info=error)
    return problem_response(
        request, Internal(f"an unexpected error; the log has it under reference {reference}")
    )


def _from_http(request: Request, error: HTTPException) -> GencodeError:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"there is nothing at {request.url.path}")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return WrongMethod(f"{request.method} is not possible here")
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return BodyTooLarge("the request body is larger than MAX_BODY_BYTES allows")
    return Malformed(error.detail)
