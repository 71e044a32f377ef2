"""Checks every request against the security rules, and sets security headers on every response."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gencode.domain.errors import BodyTooLarge, CrossSite, GencodeError, Malformed, Misdirected
from gencode.http.body_limits import BodyLimits
from gencode.http.problems import accept_language, problem_response, unexpected

RawHeaders = Mapping[bytes, bytes]
"""By lower-case name."""
_LOOPBACK_NAMES = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_RESPONSE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Headers of responses that are not pages, which a browser must not render or embed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityRules:
    """Which requests are accepted.

    requires_key    returns whether the service has keys now: the first one may be made at any time. Without
                    keys, every browser that reaches the service is authenticated, so another web site must
                    not cause requests that change something (cross-site request forgery)
    loopback_only   without keys, the service trusts its address, so the Host header must be a loopback
                    name: a web page that points its own name at 127.0.0.1 (DNS rebinding) is refused
    origins         web sites whose pages may use the API
    max_body        bytes
    max_file        bytes of a file that is uploaded
    """

    requires_key: Callable[[], bool]
    loopback_only: bool
    origins: Collection[str]
    max_body: int
    max_file: int = 0


class SecurityMiddleware:
    """Rejects requests that break the rules, and responds to unexpected exceptions with 500."""

    def __init__(self, app: ASGIApp, rules: SecurityRules, limits: BodyLimits) -> None:
        self._app = app
        self._rules = rules
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = [*message.get("headers", ())]
                names = {name for name, _ in given}
                added = [header for header in _RESPONSE_HEADERS if header[0] not in names]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        error = _broken_rule(scope, self._rules, self._limits)
        app = self._app
        if error:
            app = problem_response(error, _connection_headers(error), accept_language(scope))
        try:
            await app(scope, receive, send_with_headers)
        except Exception as exception:
            problem = unexpected(scope["path"], exception)
            if started:
                raise
            await problem(scope, receive, send_with_headers)


def _broken_rule(scope: Scope, rules: SecurityRules, limits: BodyLimits) -> GencodeError | None:
    headers = dict(reversed(scope["headers"]))  # of equal names the first, as in Headers, which is slower
    if b"content-length" in headers and b"transfer-encoding" in headers:
        # A proxy could disagree on where this request ends (RFC 9112, 6.1: request smuggling).
        return Malformed("send Content-Length or Transfer-Encoding, not both")
    if not rules.requires_key() and (error := _broken_without_keys(scope["method"], headers, rules)):
        return error
    limit = limits.of(scope)
    if int(headers.get(b"content-length", b"0")) > limit.bytes:
        return BodyTooLarge(limit.message)
    return None


def _broken_without_keys(method: str, headers: RawHeaders, rules: SecurityRules) -> GencodeError | None:
    if rules.loopback_only and not _LOOPBACK_NAMES.fullmatch(headers.get(b"host", b"")):
        return Misdirected("without API keys this service answers only to localhost names in the Host header")
    if method not in _SAFE_METHODS and not _same_site(headers, rules.origins):
        return CrossSite("another web site asks for this; if it may, name its origin in CORS_ORIGINS")
    return None


def _connection_headers(error: GencodeError) -> dict[str, str]:
    """Closes the connection after a malformed request: its end is unknown, so the bytes after it cannot be
    read."""
    return {"Connection": "close"} if isinstance(error, Malformed) else {}


def _same_site(headers: RawHeaders, origins: Collection[str]) -> bool:
    """Whether a request comes from this site or an allowed origin, by headers that browsers set and pages
    cannot change; other clients do not send them."""
    origin = headers.get(b"origin", b"")
    if origin.decode("latin-1") in origins:
        return True
    if fetch_site := headers.get(b"sec-fetch-site"):
        return fetch_site in (b"same-origin", b"none")
    return not origin or origin.partition(b"://")[2] == headers.get(b"host")
