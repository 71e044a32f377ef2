"""Who may come in, and what every answer carries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SCHEMES = ("bearer", "token")
_HIDDEN = (b"%2f", b"%5c", b"%00")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}


class AccessMiddleware:
    """Answers local Host names alone, so that a page of another site cannot read us by rebinding its DNS
    name to 127.0.0.1; refuses paths that hide a separator; adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http":
            await (_refusal(scope) or self._app)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    if not _is_local(Headers(scope=scope).getlist("host")):
        return PlainTextResponse("This address answers as localhost only.", 421)
    if any(hidden in scope.get("raw_path", b"").lower() for hidden in _HIDDEN):
        return PlainTextResponse("Not Found", 404)
    return None


def _is_local(hosts: list[str]) -> bool:
    try:
        return len(hosts) == 1 and urlsplit(f"//{hosts[0]}").hostname in _LOCAL
    except ValueError:
        return False


class Secret:
    """The token that writing needs; kept as a hash and compared in constant time."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token.encode())

    def matches(self, authorization: str) -> bool:
        """Of an Authorization header: `Bearer X`, `token X`, or Basic with X for password."""
        given = _credential(authorization)
        return given is not None and hmac.compare_digest(_digest(given), self._digest)


def _credential(authorization: str) -> bytes | None:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() in _SCHEMES:
        return rest.strip().encode("latin-1")  # as it came: header text is decoded so
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
