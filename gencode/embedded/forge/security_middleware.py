"""Checks of each request to the forge (Host header, encoded path separators), and security headers."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_ENCODED_SEPARATOR = re.compile(rb"%(?:2f|5c|00)", re.IGNORECASE)
_BEFORE_A_REF = re.compile(rb"/api/v3/repos/[^/%]+/[^/%]+/(?:git/ref|branches)/")
_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
"""GitHub's clients encode the slashes of a ref, as in `git/ref/heads%2Fmain`."""
_SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


class SecurityMiddleware:
    """Accepts requests with a loopback Host header only, which stops DNS rebinding: a page of another site
    whose name resolves to 127.0.0.1 gets 421. Rejects paths with an encoded separator outside a ref (404),
    and adds the security headers to each response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http":
            await (_rejection(scope) or self._app)(scope, receive, send_with_headers)


def _rejection(scope: Scope) -> PlainTextResponse | None:
    if not _is_local(Headers(scope=scope).getlist("host")):
        return PlainTextResponse("This address answers as localhost only.", 421)
    if _has_encoded_separator(scope.get("raw_path", b"")):
        return PlainTextResponse("Not Found", 404)
    return None


def _has_encoded_separator(path: bytes) -> bool:
    if ref := _BEFORE_A_REF.match(path):
        path = _ENCODED_SLASH.sub(b"/", path[ref.end() :])
    return _ENCODED_SEPARATOR.search(path) is not None


def _is_local(hosts: list[str]) -> bool:
    return len(hosts) == 1 and _LOCAL_HOST.fullmatch(hosts[0]) is not None
