"""Single requests to a host's REST API. One attempt each: retrying is the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import anyio
import httpx

from gencode.githosts.http_client import CONNECT_SECONDS, HttpReply, ReplyTooLong, exchange
from gencode.githosts.origins import origin
from gencode.githosts.profile import HostProfile
from gencode.githosts.responses import body_of, failure
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Sleep
from gencode.security.redaction import quoted

READ_SECONDS = 30.0
DEADLINE = 60.0  # for a whole exchange; creating a repository takes GitHub a second or two

_FOUND = frozenset({200, 404})
_DECIDED = frozenset({200, 201, 400, 404, 409, 422})
"""What a host answers to a wish: done, or a refusal whose words decide what it means."""
_REDIRECTS = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiResponse:
    """An expected status with its JSON object (an error's may be empty)."""

    status: int
    body: Mapping[str, Any]
    reply: HttpReply

    @property
    def done(self) -> bool:
        return self.status < 300


class RestApi:
    """Paths begin with "/". Raises HostError for everything but the expected answers.

    headers   of every request, the token's among them
    secrets   what no message may show
    hint      from a refusal to what the token probably lacks
    spacing   seconds from the end of one write to the next: GitHub wants them serial and a second apart
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        client: httpx.AsyncClient,
        *,
        profile: HostProfile,
        secrets: tuple[str, ...],
        hint: Callable[[HttpReply], str],
        metrics: Metrics,
        spacing: float,
        sleep: Sleep,
        clock: Callable[[], float],
    ) -> None:
        self._url = url.rstrip("/")
        self._secrets = secrets
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self._client = client
        self._profile = profile
        self._hint = hint
        self._metrics = metrics
        self._spacing = spacing
        self._sleep = sleep
        self._clock = clock
        self._writing = anyio.Lock()
        self._next_write = 0.0

    async def get(self, path: str) -> ApiResponse:
        """Follows one redirect (a renamed repository's), within the API's own origin."""
        url = self._url + path
        reply = await self._exchange("GET", url)
        if reply.status in _REDIRECTS:
            reply = await self._exchange("GET", self._moved(url, reply))
        return self._answer(reply, _FOUND)

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> ApiResponse:
        async with self._writing:
            if (pause := self._next_write - anyio.current_time()) > 0:
                await self._sleep(pause)
            try:
                return self._answer(await self._exchange(method, self._url + path, body), _DECIDED)
            finally:
                self._next_write = anyio.current_time() + self._spacing

    def _moved(self, url: str, reply: HttpReply) -> str:
        name, address = self._profile.name, self._profile.address
        target: str = urljoin(url, reply.headers.get("location", ""))
        if origin(target) is None or origin(target) != origin(self._url):
            raise self._profile.failures.protocol(f"{name}'s API redirects to another host; check {address}")
        return target

    async def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> HttpReply:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        request = self._client.build_request(method, url, headers=self._headers, json=body, timeout=timeout)
        operation = {"GET": "read", "POST": "create"}.get(method, "change")
        name, errors = self._profile.name, self._profile.failures
        with self._metrics.host_seconds.labels(self._profile.label, operation).time():
            try:
                return await exchange(self._client, request, DEADLINE)
            except httpx.TimeoutException as error:
                raise errors.network(f"{name} did not answer in time; try again later") from error
            except ReplyTooLong as error:
                raise errors.protocol(
                    f"that was not {name}'s API: {error}; check {self._profile.address}"
                ) from error
            except httpx.TransportError as error:
                words = quoted(str(error), self._secrets)
                raise errors.network(f"the connection to {name} failed; try again later{words}") from error

    def _answer(self, reply: HttpReply, expected: frozenset[int]) -> ApiResponse:
        if reply.status not in expected:
            raise failure(reply, self._profile, self._hint(reply), self._secrets, self._clock())
        body = body_of(reply)
        if body is None and reply.status < 400:
            raise self._profile.failures.protocol(
                f"{self._profile.name}'s answer is not a JSON object; check {self._profile.address}"
            )
        return ApiResponse(status=reply.status, body=body or {}, reply=reply)
