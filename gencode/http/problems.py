"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gencode.domain.errors import (
    BodyTooLarge,
    GencodeError,
    Internal,
    Invalid,
    Malformed,
    NotFound,
    Transient,
    WrongMethod,
)
from gencode.domain.phrase import Phrase
from gencode.http.body_limits import TOO_LARGE
from gencode.http.openapi import PROBLEM_MEDIA_TYPE
from gencode.http.operation import OPERATION, Operation
from gencode.http.problem_details import chinese, chinese_detail
from gencode.http.problem_titles import prefers_chinese, title
from gencode.http.rate_limit import OverLimit
from gencode.http.response_specs import json_text
from gencode.http.task_models import BrokenRule, Problem

MAX_SHOWN = 200
"""The most characters of a request's path in a response, so that the response to a long path is short."""

log = structlog.get_logger(__name__)


def problem_response(
    error: GencodeError, headers: Mapping[str, str] | None = None, language: str = ""
) -> Response:
    """The response to a request that failed. `language`: its Accept-Language,
    for the language of the texts."""
    is_chinese = prefers_chinese(language)
    problem = Problem(
        type=f"urn:gencode:error:{error.code}",
        title=title(error.code, HTTPStatus(error.http_status).phrase, is_chinese=is_chinese),
        status=error.http_status,
        detail=chinese_detail(error) if is_chinese else error.message,
        code=error.code,
        retryable=error.retryable,
    )
    if isinstance(error, Invalid):
        told = chinese if is_chinese else str
        listed = [BrokenRule(**{**broken, "message": told(broken["message"])}) for broken in error.problems]
        problem = problem.model_copy(update={"errors": listed})
    more = {"Cache-Control": "no-store", **_headers(error), **(headers or {})}
    return Response(json_text(problem), error.http_status, more, PROBLEM_MEDIA_TYPE)


def _headers(error: GencodeError) -> dict[str, str]:
    if isinstance(error, Transient) and error.http_status in (429, 503):
        return {"Retry-After": str(math.ceil(error.retry_after or 1))}
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="gencode"'}
    return {}


async def on_gencode_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GencodeError)  # noqa: S101 - registered for this class only
    headers = error.headers if isinstance(error, OverLimit) else None
    return problem_response(error, headers, accept_language(request.scope))


async def on_client_disconnect(_request: Request, _error: Exception) -> Response:
    """Handles a client that disconnected while it sent its body: nobody receives the response."""
    return problem_response(Malformed("the body ended before it was complete"))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Handles Starlette's own errors: no such route, wrong method, body too large."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return problem_response(_from_http(request, error), error.headers, accept_language(request.scope))


def unexpected(path: str, error: Exception) -> Response:
    """The response to an unexpected exception: the client gets a reference, the log the traceback."""
    return problem_response(reference_for(path, error))


def reference_for(where: str, error: Exception) -> Internal:
    """Logs an unexpected exception; the returned error names the log entry."""
    reference = secrets.token_hex(4)
    log.error("unexpected error", reference=reference, path=where, exc_info=error)
    return Internal(
        Phrase("an unexpected error; the log has it under reference {reference}", reference=reference)
    )


def accept_language(scope: Scope) -> str:
    """The header of a request, for `problem_response`."""
    return Headers(scope=scope).get("accept-language", "")


def _from_http(request: Request, error: HTTPException) -> GencodeError:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(Phrase("there is nothing at {path}", path=_shortened(request.scope["path"])))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return WrongMethod(Phrase("{method} is not possible here", method=request.method))
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return BodyTooLarge(_too_large(request))
    return Malformed(error.detail)


def _too_large(request: Request) -> str:
    operation = request.scope.get(OPERATION)
    is_file = isinstance(operation, Operation) and operation.body and operation.body.is_file
    return "the form is larger than MAX_FILE_SIZE allows" if is_file else TOO_LARGE


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
