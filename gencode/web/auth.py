"""Who is asking: API keys, kept and compared as hashes of bytes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.errors import StartError, Unauthorized
from gencode.web.parts import parts
from gencode.web.problems import problem_response

LOCAL = "local"
"""The one client of a service without keys."""
_STREAM = re.compile(r"/status/(?P<task_id>[^/]+)")
"""Below the API: the only address that takes a ticket in place of a key."""


class Keys:
    """The keys of API_KEYS: `key`, `client=key` or `client=sha256:<hex>`, separated by commas.

    Raises StartError for an entry that cannot be meant.
    """

    def __init__(self, entries: str) -> None:
        self._clients = [(client, digest) for client, digest in _parse(entries)]

    def __bool__(self) -> bool:
        return bool(self._clients)

    def __contains__(self, client: str) -> bool:
        return any(client == known for known, _ in self._clients)

    def client(self, headers: Headers) -> str:
        """The client whose key came as `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises Unauthorized. Every key is compared, so the time taken tells nothing.
        """
        if not self._clients:
            return LOCAL
        presented = _presented(headers)
        digest = hashlib.sha256(presented).digest()
        matches = [client for client, known in self._clients if hmac.compare_digest(known, digest)]
        if not (presented and matches):
            raise Unauthorized("send a valid API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
        return matches[0]


class Authentication:
    """ASGI middleware: no request passes without a client; `request.state.client` names it."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            client = self._admit(scope)
        except Unauthorized as error:
            await problem_response(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["client"] = client
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> str:
        headers, ticket, stream = Headers(scope=scope), _ticket(scope), _STREAM.fullmatch(_below(scope))
        if not (self._keys and ticket and stream) or _presented(headers):
            return self._keys.client(headers)
        client = parts(Request(scope)).tickets.client(ticket, stream["task_id"])
        if client not in self._keys:
            raise Unauthorized("the client that this ticket was given to has no API key any more")
        return client


def _below(scope: Scope) -> str:
    """The path without the one that the API is mounted under."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _ticket(scope: Scope) -> str:
    """Of ?ticket=..."""
    return QueryParams(scope["query_string"]).get("ticket", "")


def _presented(headers: Headers) -> bytes:
    """The key as bytes: header values are latin-1, so that a non-ASCII key compares like any other."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    return key.encode("latin-1", "replace")


def _parse(entries: str) -> Iterator[tuple[str, bytes]]:
    for number, entry in enumerate(filter(None, map(str.strip, entries.split(","))), start=1):
        client, equals, key = entry.partition("=")
        digest = _digest(key if equals else entry)
        if (equals and not client) or not digest:
            raise StartError(
                f"API_KEYS: entry {number} must be key, client=key or client=sha256:<64 hex>; "
                "a key that ends in = needs a client's name before it"
            )
        yield (client if equals else f"key-{digest.hex()[:8]}"), digest


def _digest(key: str) -> bytes:
    """Empty for a key that cannot be meant, such as the "=" that is left of a key in base64."""
    marker, _, hexadecimal = key.partition(":")
    if marker != "sha256":
        return hashlib.sha256(key.encode()).digest() if key.strip("=") else b""
    return bytes.fromhex(hexadecimal) if re.fullmatch(r"[0-9a-fA-F]{64}", hexadecimal) else b""
