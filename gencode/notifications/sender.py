"""Sends a message by one POST to a URL that a client named."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
import h11
import httpx
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from gencode.outbound.transport import Outbound
from gencode.outbound.tunnel import open_tunnel
from gencode.outbound.url_policy import MAX_TRIED_ADDRESSES, ResolvedUrl, UrlPolicy
from gencode.resilience.retry_after import parse_retry_after

MAX_HEAD = 64 * 1024
"""The most bytes that are read before the final head of the response is complete. Without it, a receiver that
sent `100 Continue` without end kept a processor busy until the deadline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """Body and headers of a POST."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """`retry_after`: seconds, from the receiver's Retry-After."""

    status: int
    retry_after: float | None = None


class NoResponse(Exception):
    """The receiver did not respond; the text says why, and does not contain the URL."""


class Sender:
    """Sends a message to a URL when called.

    No connection is reused: one that was opened to an IP address for host A must never carry a message for
    host B at the same IP address. No redirect is followed, and no proxy of the environment is used. Only the
    head of the response is read. A proxy is asked to connect to the IP address.

    outbound  the proxy, and the certificate authorities that are trusted
    timeout   seconds in all: to resolve the name, connect, send, and receive the head of the response
    now       seconds since the epoch
    """

    def __init__(
        self,
        url_policy: UrlPolicy,
        outbound: Outbound,
        agent: str,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url_policy = url_policy
        self._outbound = outbound
        self._agent = agent
        self._timeout = timeout
        self._now = now

    async def __call__(self, url: str, message: Message) -> Response:
        """Send the message. Raises UrlRefused for a URL that may not be called, and NoResponse."""
        try:
            with anyio.fail_after(self._timeout):
                return await self._send(await self._url_policy.resolve(url), message)
        except TimeoutError:
            raise NoResponse(f"did not answer within {self._timeout:g} s") from None

    async def _send(self, target: ResolvedUrl, message: Message) -> Response:
        for address in target.addresses[:MAX_TRIED_ADDRESSES]:
            try:
                stream = await self._connect(target.url, address)
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                continue
            async with stream:
                try:
                    return await self._post(stream, target.url, message)
                except (anyio.EndOfStream, anyio.BrokenResourceError, h11.RemoteProtocolError) as error:
                    raise NoResponse("broke the connection off") from error
        raise NoResponse("could not be connected to")

    async def _connect(self, url: httpx.URL, address: str) -> ByteStream:
        name, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        proxy = self._outbound.proxies.proxy_for(url.scheme, port, name, address)
        stream = await (open_tunnel(proxy, address, port) if proxy else anyio.connect_tcp(address, port))
        if url.scheme != "https":
            return stream
        try:
            return await TLSStream.wrap(
                stream, hostname=name, ssl_context=self._outbound.tls, standard_compatible=False
            )
        except BaseException:
            await anyio.aclose_forcefully(stream)
            raise

    async def _post(self, stream: ByteStream, url: httpx.URL, message: Message) -> Response:
        exchange = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self._agent,
            "Content-Length": str(len(message.body)),
            "Connection": "close",
            **message.headers,
        }
        request = h11.Request(method="POST", target=url.raw_path, headers=list(headers.items()))
        parts = (request, h11.Data(data=message.body), h11.EndOfMessage())
        await stream.send(b"".join(exchange.send(part) or b"" for part in parts))
        head = await _final_head(exchange, stream)
        wait = parse_retry_after(httpx.Headers(head.headers.raw_items()).get("retry-after", ""), self._now())
        return Response(status=head.status_code, retry_after=wait)


async def _final_head(exchange: h11.Connection, stream: ByteStream) -> h11.Response:
    """The first head that is not informational (such as `100 Continue`). Raises NoResponse if the receiver
    sends more than MAX_HEAD bytes before it."""
    received = 0
    while not isinstance(event := exchange.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            data = await stream.receive()
            received += len(data)
            exchange.receive_data(data)
        if received > MAX_HEAD:
            raise NoResponse(f"sent more than {MAX_HEAD} bytes before its answer")
    return event
