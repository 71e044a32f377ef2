"""HTTP requests to one service, with its URL, API key, timeouts and retries."""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from gencode.client.bounded_response import with_body, with_events
from gencode.client.errors import (
    ServiceError,
    Unreachable,
    error_response,
    unexpected_response,
    unreachable_error,
)

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 45.0
"""Seconds; the service pings every 15, so after three missed pings the connection is dead."""
MIN_BACKOFF, MAX_BACKOFF = 0.25, 8.0
"""Seconds between two attempts; doubled after each, with jitter."""
_BUSY_STATUSES = (429, 503)
_PROXY_STATUSES = (502, 504)
"""Sent by a proxy whose upstream has just stopped: the service may have received the request."""

Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """`patience`: seconds that one call may wait between attempts while the service is busy or its connection
    lost; `connect_patience`: the same while the service refuses connections."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: float,
        connect_patience: float,
        ca_file: str | None,
        auth: httpx.Auth | None = None,
        sleep: Sleep,
    ) -> None:
        self.sleep = sleep
        self.url = _without_credentials(url)
        self._patience = patience
        self._connect_patience = connect_patience
        try:
            self._http = httpx.AsyncClient(
                base_url=url,
                headers=[(b"Authorization", _authorization(key))] if key else [],
                auth=auth,
                timeout=httpx.Timeout(CONNECT_TIMEOUT, read=READ_TIMEOUT),
                trust_env=False,  # no proxy of the environment gets the key, and no .netrc replaces it
                verify=_tls_context(ca_file) if url.lower().startswith("https:") else False,
            )
        except httpx.InvalidURL as error:
            raise unreachable_error(self.url, error) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def request_json(
        self, method: str, path: str, *, required_field: str = "task_id", repeatable: bool = True, **more: Any
    ) -> Any:
        """The JSON object of a response. `required_field`: a field that every such response of gencode has,
        if there is one;
        `more`: arguments of httpx. Raises ServiceError."""
        response = await self.request(method, path, repeatable=repeatable, **more)
        try:
            body = response.json()
        except ValueError:
            raise unexpected_response(response) from None
        if not isinstance(body, dict) or (required_field and required_field not in body):
            raise unexpected_response(response)
        return body

    async def request(
        self, method: str, path: str, *, repeatable: bool = True, **more: Any
    ) -> httpx.Response:
        """A successful response. Transient errors are retried within `patience`; for a request that is not
        `repeatable`, only those after which the service cannot have received it. Raises ServiceError."""
        waited, backoff = 0.0, MIN_BACKOFF
        while True:
            try:
                return await self._send(method, path, **more)
            except ServiceError as error:
                wait = max(backoff * random.uniform(0.5, 1), error.retry_after or 0)  # noqa: S311  # no secret
                if waited + wait > self._max_wait(error, repeatable):
                    raise
            await self.sleep(wait)
            waited, backoff = waited + wait, min(backoff * 2, MAX_BACKOFF)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str], **more: Any
    ) -> AsyncIterator[httpx.Response]:
        """A streamed response; a single attempt. Raises ServiceError."""
        all_headers = {"Accept": "text/event-stream", "Cache-Control": "no-store", **headers}
        try:
            async with self._http.stream("GET", path, headers=all_headers, **more) as response:
                if not response.is_success:
                    raise error_response(await with_body(response))
                yield with_events(response)
        except httpx.RequestError as error:
            raise unreachable_error(self.url, error) from error

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            request = self._http.build_request(method, path, **more)
            async with aclosing(await self._http.send(request, stream=True)) as unread:
                response = await with_body(unread)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise unreachable_error(self.url, error) from error
        if not response.is_success:
            raise error_response(response)
        return response

    def _max_wait(self, error: ServiceError, repeatable: bool) -> float:
        """Seconds that the call may wait in total after this error; negative: no retry."""
        if not is_transient(error) or (may_have_been_received(error) and not repeatable):
            return -1
        refused = isinstance(error, Unreachable) and not error.received
        return self._connect_patience if refused else self._patience


def is_transient(error: ServiceError) -> bool:
    """Whether the same request may succeed later without a change."""
    if isinstance(error, Unreachable):
        return error.passing
    return error.status in (*_BUSY_STATUSES, *_PROXY_STATUSES)


def may_have_been_received(error: ServiceError) -> bool:
    """Whether the service may have processed the request although there was no response."""
    return error.received if isinstance(error, Unreachable) else error.status in _PROXY_STATUSES


def _authorization(key: str) -> bytes:
    """In UTF-8, which the service expects of keys that are not ASCII."""
    if not key.isprintable():
        raise ValueError("the API key has a line break or another character that no header can hold")
    return f"Bearer {key}".encode()


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Created for https only: loading the certificates takes longer than many requests."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()


def _without_credentials(url: str) -> str:
    """The URL without a user name and password."""
    scheme, slashes, rest = url.rpartition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}".rstrip("/")
