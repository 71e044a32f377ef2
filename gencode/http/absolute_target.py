"""Accepts requests whose target is a complete URL, as some proxies forward them (RFC 9112, 3.2.2:
absolute-form)."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

_ABSOLUTE = re.compile(rb"https?://(?P<host>[^/@]+)(?P<path>/.*)?", re.IGNORECASE | re.DOTALL)
"""A URL without a user name, which no http URL of a request may have (RFC 9110, 4.2.4), and without its
query."""


class AbsoluteTargetMiddleware:
    """Sets `path` to the path of the URL, and the Host header to its host, whatever Host the client sent.

    Other targets are left unchanged: no route matches them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(_in_origin_form(scope), receive, send)


def _in_origin_form(scope: Scope) -> Scope:
    raw_path = scope.get("raw_path") or b"/"
    if raw_path.startswith(b"/") or not (found := _ABSOLUTE.fullmatch(raw_path)):
        return scope
    path = found["path"] or b"/"
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "headers": [(b"host", found["host"]), *headers],
    }
