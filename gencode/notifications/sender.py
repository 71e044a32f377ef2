"""One POST to an address that a client named."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
import httpx

from gencode.notifications.url_policy import ResolvedUrl, UrlPolicy
from gencode.resilience.retry_after import retry_after

TRIED_ADDRESSES = 3
"""Of a name that leads to many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is sent."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`retry_after`: seconds that the receiver asked for."""

    status: int
    retry_after: float | None = None


class NotSent(Exception):
    """Nobody answered; the text says why, without the address."""


def transport(tls: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    """Below httpx's client: nothing follows redirects, keeps cookies or reads proxy variables. No connection
    is used twice: one to an address of A's must never carry what is meant for B at the same address."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)


class Sender:
    """timeout   seconds for all of it: finding the name, connecting, sending, and the head of the answer
    now       seconds since the epoch
    """

    def __init__(
        self,
        url_policy: UrlPolicy,
        transport: httpx.AsyncHTTPTransport,
        agent: str,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url_policy = url_policy
        self._transport = transport
        self._agent = agent
        self._timeout = timeout
        self._now = now

    async def __call__(self, url: str, message: Message) -> Answer:
        """Raises Refused for what may not be called, NotSent."""
        try:
            with anyio.fail_after(self._timeout):
                return await self._send(await self._url_policy(url), message)
        except TimeoutError:
            raise NotSent(f"did not answer within {self._timeout:g} s") from None

    async def _send(self, place: ResolvedUrl, message: Message) -> Answer:
        for host in place.hosts[:TRIED_ADDRESSES]:
            try:
                return await self._exchange(place.url, host, message)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failed = error
            except httpx.TransportError as error:
                raise NotSent("broke the connection off") from error
        raise NotSent("could not be connected to") from failed

    async def _exchange(self, url: httpx.URL, host: str, message: Message) -> Answer:
        """The body of the answer is not read: however long it is, it says nothing that we want to know."""
        name = url.raw_host.decode("ascii")
        headers = {"Host": url.netloc.decode("ascii"), "User-Agent": self._agent, **message.headers}
        seconds = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        request = httpx.Request(
            "POST",
            url.copy_with(host=host),
            headers=headers,
            content=message.body,
            extensions={"timeout": seconds, "sni_hostname": name},
        )
        response = await self._transport.handle_async_request(request)
        await response.aclose()
        wait = retry_after(response.headers.get("retry-after", ""), self._now())
        return Answer(status=response.status_code, retry_after=wait)
