"""Single requests to GitHub's REST API. One attempt each: retrying is the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import anyio
import httpx

from gencode.errors import GitHubNetwork, GitHubProtocol
from gencode.hosts.addresses import origin
from gencode.hosts.github_answers import body_of, failure
from gencode.hosts.wire import CONNECT_SECONDS, Reply, ReplyTooLong, exchange
from gencode.metrics import Metrics
from gencode.redaction import quoted
from gencode.retry import Sleep

READ_SECONDS = 30.0
DEADLINE = 60.0  # for a whole exchange; creating a repository takes GitHub a second or two

_EXPECTED = frozenset({200, 201, 404, 409, 422})
_REDIRECTS = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status in _EXPECTED with its JSON object (an error's may be empty)."""

    status: int
    body: Mapping[str, Any]
    reply: Reply


class Api:
    """Paths begin with "/". Raises HostError for everything but the expected answers.

    spacing   seconds from the end of one write to the next: GitHub wants them serial and a second apart
    """

    def __init__(
        self,
        url: str,
        token: str,
        client: httpx.AsyncClient,
        *,
        agent: str,
        metrics: Metrics,
        spacing: float,
        sleep: Sleep,
        clock: Callable[[], float],
    ) -> None:
        self._url = url.rstrip("/")
        self._secrets = (token,)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Accept-Encoding": "identity",
            "User-Agent": agent,
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._client = client
        self._metrics = metrics
        self._spacing = spacing
        self._sleep = sleep
        self._clock = clock
        self._writing = anyio.Lock()
        self._next_write = 0.0

    async def get(self, path: str) -> Answer:
        """Follows one redirect (a renamed repository's), within the API's own origin."""
        url = self._url + path
        reply = await self._exchange("GET", url)
        if reply.status in _REDIRECTS:
            reply = await self._exchange("GET", self._moved(url, reply))
        return self._answer(reply)

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        async with self._writing:
            if (pause := self._next_write - anyio.current_time()) > 0:
                await self._sleep(pause)
            try:
                return self._answer(await self._exchange("POST", self._url + path, body))
            finally:
                self._next_write = anyio.current_time() + self._spacing

    def _moved(self, url: str, reply: Reply) -> str:
        target: str = urljoin(url, reply.headers.get("location", ""))
        if origin(target) is None or origin(target) != origin(self._url):
            raise GitHubProtocol("GitHub's API redirects to another host; check GITHUB_API_URL")
        return target

    async def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Reply:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        request = self._client.build_request(method, url, headers=self._headers, json=body, timeout=timeout)
        operation = "read" if method == "GET" else "create"
        with self._metrics.host.labels(operation).time():
            try:
                return await exchange(self._client, request, DEADLINE)
            except httpx.TimeoutException as error:
                raise GitHubNetwork("GitHub did not answer in time; try again later") from error
            except ReplyTooLong as error:
                raise GitHubProtocol(f"that was not GitHub's API: {error}; check GITHUB_API_URL") from error
            except httpx.TransportError as error:
                words = quoted(str(error), self._secrets)
                raise GitHubNetwork(f"the connection to GitHub failed; try again later{words}") from error

    def _answer(self, reply: Reply) -> Answer:
        if reply.status not in _EXPECTED:
            raise failure(reply, self._secrets, self._clock())
        body = body_of(reply)
        if body is None and reply.status < 400:
            raise GitHubProtocol("GitHub's answer is not a JSON object; check GITHUB_API_URL")
        return Answer(status=reply.status, body=body or {}, reply=reply)
