"""Makes an application answer 500 when an endpoint raises an error that its operation does not declare, so
that the test which caused it fails."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import GencodeError
from gencode.http.operation import OPERATION
from gencode.http.problems import on_gencode_error


class UndeclaredError(AssertionError):
    """The OpenAPI document lacks a code that the service sends."""


def check_declared_errors(app: Starlette) -> None:
    """Call it before the first request."""

    async def on_error(request: Request, error: Exception) -> Response:
        operation, code = request.scope.get(OPERATION), getattr(error, "code", "")
        if operation and code not in app.state.openapi.declared_codes(operation):
            raise UndeclaredError(f"{operation.name} raises {code}, which it does not declare")
        return await on_gencode_error(request, error)

    app.exception_handlers[GencodeError] = on_error
