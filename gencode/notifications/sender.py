"""One POST to an address that a client named."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
import httpx

from gencode.notifications.url_policy import ResolvedUrl, UrlPolicy
from gencode.outbound.transport import Outbound
from gencode.outbound.tunnel import TunnelTransport
from gencode.resilience.retry_after import retry_after

MAX_TRIED_ADDRESSES = 3
"""Of a name that resolves to many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Body and headers of a POST."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """`retry_after`: seconds that the receiver asked for."""

    status: int
    retry_after: float | None = None


class NoResponse(Exception):
    """The receiver did not respond; the text says why, and does not contain the address."""


def transport(outbound: Outbound) -> httpx.AsyncBaseTransport:
    """The layer below httpx's client: it follows no redirects, keeps no cookies and reads no proxy variables.
    No connection is reused: one that was opened to an IP address for host A must never carry a message for
    host B at the same IP address."""

    def make(proxy: httpx.Proxy | None) -> httpx.AsyncBaseTransport:
        if proxy:
            return TunnelTransport(outbound.tls, proxy)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        return httpx.AsyncHTTPTransport(verify=outbound.tls, trust_env=False, limits=limits)

    return outbound.routed(make)


class Sender:
    """Called with a URL and a message.

    timeout   seconds in all: to resolve the name, connect, send, and receive the head of the response
    now       seconds since the epoch
    """

    def __init__(
        self,
        url_policy: UrlPolicy,
        transport: httpx.AsyncBaseTransport,
        agent: str,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url_policy = url_policy
        self._transport = transport
        self._agent = agent
        self._timeout = timeout
        self._now = now

    async def __call__(self, url: str, message: Message) -> Response:
        """Raises UrlRefused for an address that may not be called, NoResponse."""
        try:
            with anyio.fail_after(self._timeout):
                return await self._send(await self._url_policy.resolve(url), message)
        except TimeoutError:
            raise NoResponse(f"did not answer within {self._timeout:g} s") from None

    async def _send(self, target: ResolvedUrl, message: Message) -> Response:
        for address in target.addresses[:MAX_TRIED_ADDRESSES]:
            try:
                return await self._post(target.url, address, message)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
            except httpx.TransportError as error:
                raise NoResponse("broke the connection off") from error
        raise NoResponse("could not be connected to") from failure

    async def _post(self, url: httpx.URL, address: str, message: Message) -> Response:
        """The response's body, which may be endless, is not read: only the status matters."""
        name = url.raw_host.decode("ascii")
        headers = {"Host": url.netloc.decode("ascii"), "User-Agent": self._agent, **message.headers}
        seconds = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        request = httpx.Request(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            content=message.body,
            extensions={"timeout": seconds, "sni_hostname": name},
        )
        response = await self._transport.handle_async_request(request)
        await response.aclose()
        wait = retry_after(response.headers.get("retry-after", ""), self._now())
        return Response(status=response.status_code, retry_after=wait)
