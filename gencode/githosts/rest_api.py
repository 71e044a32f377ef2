"""Single requests to a host's REST API. One attempt each: retries are up to the caller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from gencode.githosts.api_dialect import ApiDialect, ApiRequest, credentials
from gencode.githosts.connection_options import Endpoint, HostOptions
from gencode.githosts.host_identity import HostIdentity
from gencode.githosts.http_client import CONNECT_SECONDS, MAX_JSON_BYTES, HttpReply, ReplyTooLong, exchange
from gencode.githosts.origins import origin_of
from gencode.githosts.responses import (
    ApiResponse,
    json_object,
    rate_limit_error,
    refusal_body,
    status_error,
)
from gencode.outbound.checked_transport import AddressRefused
from gencode.resilience.call_slots import LocalSlots
from gencode.security.redaction import quoted

READ_SECONDS = 30.0
DEADLINE = 60.0  # for a whole exchange; GitHub takes a second or two to create a repository

_READ_STATUSES = frozenset({200, 404})
_WRITE_STATUSES = frozenset({200, 201, 400, 404, 409, 422})
"""Success, or a refusal whose meaning depends on its text."""
_REDIRECTS = frozenset({301, 302, 307, 308})
_SAME_METHOD = frozenset({307, 308})
"""Redirects that a write may follow: GitHub sends them for an organisation that was renamed."""
MAX_PAGE_BYTES = 16 * 2**20
"""Of one page of a list: 50 comments of 64 KB, each character as an escape, are 19 MB; real ones are less."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPage:
    """A page of a list. `is_last`: whether the host says that there is no other; hosts that say nothing
    answer an empty one after the last, or the same again."""

    items: list[Any]
    is_last: bool


class RestApi:
    """Requests by path, which begins with "/". Raises HostError for every unexpected response.

    secrets   what no message may contain
    """

    def __init__(
        self,
        dialect: ApiDialect,
        identity: HostIdentity,
        endpoint: Endpoint,
        client: httpx.AsyncClient,
        options: HostOptions,
    ) -> None:
        headers = dialect.headers(endpoint.token)
        self.secrets = credentials(endpoint.token, headers)
        self._dialect = dialect
        self._identity = identity
        self._url = endpoint.api_url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": options.agent,
            **headers,
        }
        self._client = client
        self._options = options
        self._writes = options.writes or LocalSlots(1, options.spacing, sleep=options.sleep)

    async def get(self, path: str) -> ApiResponse:
        """Status 200 or 404. Follows one redirect (of a renamed repository) within the API's own origin."""
        return self._response(await self._read(path), _READ_STATUSES)

    async def get_list(self, path: str) -> ListPage | None:
        """A page of a list; None for 404."""
        reply = await self._read(path, MAX_PAGE_BYTES)
        if reply.status != 200:
            self._response(reply, _READ_STATUSES)
            return None
        try:
            items = json.loads(reply.content)
        except (ValueError, RecursionError):
            items = None
        if not isinstance(items, list):
            name, setting = self._identity.name, self._identity.url_setting
            raise self._identity.errors.protocol(f"{name}'s answer is not a list; check {setting}")
        link = reply.headers.get("link", "")
        return ListPage(items=items, is_last=not items or (bool(link) and 'rel="next"' not in link))

    async def get_text(self, path: str) -> bytes | None:
        """A text; None for 404."""
        reply = await self._read(path, MAX_PAGE_BYTES)
        if reply.status == 200:
            return reply.content
        self._response(reply, _READ_STATUSES)
        return None

    async def _read(self, path: str, max_bytes: int = MAX_JSON_BYTES) -> HttpReply:
        url = self._url + path
        reply = await self._exchange("GET", url, max_bytes=max_bytes)
        if reply.status in _REDIRECTS:
            reply = await self._exchange("GET", self._redirect_target(url, reply), max_bytes=max_bytes)
        return reply

    async def send(self, request: ApiRequest) -> ApiResponse:
        """Success, or a refusal by 400, 404, 409 or 422. Writes are serial and `spacing` seconds apart.
        Follows one redirect as `get` does, if it is one that keeps the method."""
        async with self._writes.hold():
            reply = await self._write(request)
        return self._response(reply, _WRITE_STATUSES)

    async def graphql(self, query: str, variables: Mapping[str, Any]) -> ApiResponse:
        """A query or mutation of GraphQL, whose refusals are 200 with `errors`; else as `send`. The address
        is beside that of REST: api.github.com/graphql, and HOST/api/graphql of GitHub Enterprise Server."""
        url = self._url.removesuffix("/v3") + "/graphql"
        async with self._writes.hold():
            reply = await self._exchange("POST", url, {"query": query, "variables": variables})
        return self._response(reply, _WRITE_STATUSES)

    async def _write(self, request: ApiRequest) -> HttpReply:
        url = self._url + request.path
        reply = await self._exchange(request.method, url, request.body)
        if reply.status in _SAME_METHOD:
            return await self._exchange(request.method, self._redirect_target(url, reply), request.body)
        return reply

    async def _exchange(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, max_bytes: int = MAX_JSON_BYTES
    ) -> HttpReply:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        request = self._client.build_request(method, url, headers=self._headers, json=body, timeout=timeout)
        operation = {"GET": "read", "POST": "create"}.get(method, "change")
        name, errors = self._identity.name, self._identity.errors
        with self._options.metrics.host_seconds.labels(self._identity.label, operation).time():
            try:
                return await exchange(self._client, request, DEADLINE, max_bytes)
            except httpx.TimeoutException as error:
                raise errors.network(f"{name} did not answer in time; try again later") from error
            except ReplyTooLong as error:
                raise errors.protocol(
                    f"that was not {name}'s API: {error}; check {self._identity.url_setting}"
                ) from error
            except AddressRefused as error:
                raise errors.invalid(
                    f"the address of {name}'s API {error}; check {self._identity.url_setting}, or ask the "
                    "operator to allow its network"
                ) from error
            except httpx.TransportError as error:
                quote = quoted(str(error), self.secrets)
                raise errors.network(f"the connection to {name} failed; try again later{quote}") from error

    def _redirect_target(self, url: str, reply: HttpReply) -> str:
        target: str = urljoin(url, reply.headers.get("location", ""))
        if origin_of(target) is None or origin_of(target) != origin_of(self._url):
            name, setting = self._identity.name, self._identity.url_setting
            raise self._identity.errors.protocol(f"{name}'s API redirects to another host; check {setting}")
        return target

    def _response(self, reply: HttpReply, expected: frozenset[int]) -> ApiResponse:
        now = self._options.clock()
        if reply.status not in expected:
            hint = self._dialect.permission_hint(reply)
            raise status_error(reply, self._identity, hint, self.secrets, now)
        if limit := rate_limit_error(reply, self._identity, self.secrets, now):
            raise limit
        body = json_object(reply)
        if body is None and reply.status < 400:
            name, setting = self._identity.name, self._identity.url_setting
            raise self._identity.errors.protocol(f"{name}'s answer is not a JSON object; check {setting}")
        return ApiResponse(
            status=reply.status, body=refusal_body(reply) if body is None else body, reply=reply
        )
