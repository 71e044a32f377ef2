"""Requests to one service: its address, its key, and how often to try."""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gencode.client.errors import ServiceError, Unreachable, no_answer, refusal, unexpected

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 45.0
"""Three missed pings: the connection is dead although nobody said so."""
SHORTEST, LONGEST = 0.25, 8.0
"""Seconds between two attempts."""
_BUSY = (429, 503)
_PROXY = (502, 504)
"""Said by a proxy whose service has just gone: the request may have been received."""

Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """`patience`: seconds that one call may spend waiting for a service that is busy or lost; for one that
    refuses connections, `connect_patience`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: float,
        connect_patience: float,
        ca_file: str | None,
        sleep: Sleep,
    ) -> None:
        self.sleep = sleep
        self.url = _shown(url)
        self._patience = patience
        self._connect_patience = connect_patience
        try:
            self._http = httpx.AsyncClient(
                base_url=url,
                headers=[(b"Authorization", _bearer(key))] if key else [],
                timeout=httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS),
                trust_env=False,  # neither a proxy nor a .netrc of the environment gets the key
                verify=_trusted(ca_file) if url.lower().startswith("https:") else False,
            )
        except httpx.InvalidURL as error:
            raise no_answer(self.url, error) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def json(
        self, method: str, path: str, *, has: str = "task_id", repeatable: bool = True, **more: Any
    ) -> Any:
        """An object. `has`: a field that none of ours lacks; `more`: for httpx. Raises ServiceError."""
        answer = await self.answer(method, path, repeatable=repeatable, **more)
        try:
            found = answer.json()
        except ValueError:
            raise unexpected(answer) from None
        if not isinstance(found, dict) or has not in found:
            raise unexpected(answer)
        return found

    async def answer(self, method: str, path: str, *, repeatable: bool = True, **more: Any) -> httpx.Response:
        """A success. What failed in passing is tried again while patience lasts; what is not `repeatable`
        only if the service cannot have received it. Raises ServiceError."""
        waited, pause = 0.0, SHORTEST
        while True:
            try:
                return await self._once(method, path, **more)
            except ServiceError as error:
                wait = max(pause * random.uniform(0.5, 1), error.retry_after or 0)  # noqa: S311  # no secret
                if waited + wait > self._patience_with(error, repeatable):
                    raise
            await self.sleep(wait)
            waited, pause = waited + wait, min(pause * 2, LONGEST)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str], **more: Any
    ) -> AsyncIterator[httpx.Response]:
        """One attempt. Raises ServiceError."""
        asked = {"Accept": "text/event-stream", "Cache-Control": "no-store", **headers}
        try:
            async with self._http.stream("GET", path, headers=asked, **more) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer)
                yield answer
        except httpx.RequestError as error:
            raise no_answer(self.url, error) from error

    async def _once(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **more)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise no_answer(self.url, error) from error
        if not answer.is_success:
            raise refusal(answer)
        return answer

    def _patience_with(self, error: ServiceError, repeatable: bool) -> float:
        if not passing(error) or (received(error) and not repeatable):
            return -1
        refused = isinstance(error, Unreachable) and not error.received
        return self._connect_patience if refused else self._patience


def passing(error: ServiceError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, Unreachable):
        return error.passing
    return error.status in (*_BUSY, *_PROXY)


def received(error: ServiceError) -> bool:
    """Whether the request may have had its effect although there was no answer."""
    return error.received if isinstance(error, Unreachable) else error.status in _PROXY


def _bearer(key: str) -> bytes:
    """As UTF-8, which is how the service takes a key that is no ASCII."""
    if not key.isprintable():
        raise ValueError("the API key has a line break or another character that no header can hold")
    return f"Bearer {key}".encode()


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """Loaded only where it is needed: that takes longer than many a request."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()


def _shown(url: str) -> str:
    """Without a password that may stand in it."""
    scheme, slashes, rest = url.rpartition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}".rstrip("/")
