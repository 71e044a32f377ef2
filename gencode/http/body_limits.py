"""How large the body of a request may be: MAX_BODY_BYTES, or MAX_FILE_SIZE for an operation that takes a
file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.domain.phrase import Phrase
from gencode.http.operation import Operation

FORM = 64 * 1024
"""Bytes of a form besides its file."""
TOO_LARGE = "the request body is larger than MAX_BODY_BYTES allows"


def file_too_large(max_bytes: int) -> str:
    return Phrase("the file is larger than MAX_FILE_SIZE allows ({max_bytes} bytes)", max_bytes=max_bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyLimit:
    """`message`: to the sender of a larger body."""

    bytes: int
    message: str


class BodyLimits:
    """max_body    bytes of bodies without a file
    max_file    bytes of a file
    operations  below the prefix; those whose body has a file get the larger limit
    """

    def __init__(self, max_body: int, max_file: int, prefix: str, operations: Iterable[Operation]) -> None:
        self.default = BodyLimit(bytes=max_body, message=TOO_LARGE)
        self.of_file = BodyLimit(
            bytes=max(max_body, max_file + FORM), message=file_too_large(max(max_body, max_file))
        )
        self._files = [
            (operation.method, compile_path(prefix + operation.path)[0])
            for operation in operations
            if operation.body and operation.body.is_file
        ]

    def of(self, scope: Scope) -> BodyLimit:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        is_file = any(method == scope["method"] and regex.match(path) for method, regex in self._files)
        return self.of_file if is_file else self.default


class BodyLimitMiddleware:
    """Ends a body that exceeds its limit as it arrives."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self._limits = limits
        self._default = RequestBodyLimitMiddleware(app, limits.default.bytes)
        self._of_file = RequestBodyLimitMiddleware(app, limits.of_file.bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and self._limits.of(scope) is self._limits.of_file
        await (self._of_file if is_file else self._default)(scope, receive, send)
