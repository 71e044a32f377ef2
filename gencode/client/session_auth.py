"""Authenticates requests with the access token of a login, and renews it when the service refuses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

import httpx

UNAUTHORIZED, OK = 401, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginTokens:
    """The tokens of one login."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class TokenStore(Protocol):
    """Where the tokens of a login are, also for other processes."""

    def read(self) -> LoginTokens | None: ...

    def write(self, tokens: LoginTokens) -> None: ...


class SessionAuth(httpx.Auth):
    """`url`: of the service. When the session is over, the response is the one to the renewal: 401
    SESSION_ENDED."""

    def __init__(self, url: str, store: TokenStore) -> None:
        self._refresh_url = f"{url.rstrip('/')}/api/v1/auth/refresh"
        self._store = store

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        tokens = self._store.read()
        if tokens is None:
            yield request
            return
        response = yield _with(request, tokens)
        if response.status_code != UNAUTHORIZED:
            return
        current = self._store.read() or tokens  # another process may have renewed it
        if current == tokens:
            await response.aread()
            renewal = yield httpx.Request(
                "POST", self._refresh_url, json={"refresh_token": tokens.refresh_token}
            )
            if renewal.status_code != OK:
                return
            await renewal.aread()
            current = tokens_of(renewal)
            self._store.write(current)
        yield _with(request, current)


def tokens_of(response: httpx.Response) -> LoginTokens:
    """Of the response to a login or a renewal."""
    body = response.json()
    return LoginTokens(access_token=body["access_token"], refresh_token=body["refresh_token"])


def _with(request: httpx.Request, tokens: LoginTokens) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {tokens.access_token}"
    return request
