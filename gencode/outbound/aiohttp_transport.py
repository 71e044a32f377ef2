"""aiohttp as the transport of httpx, for model APIs and for addresses that users give.

Measured with 50 streams of 100 events a second, one core serves twice as many streams as over httpcore
(tests/benchmarks/streams.py).
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gencode.outbound.lazy_transport import BEFORE_SEND

KEEP_ALIVE = 30.0  # seconds; most servers close idle connections after 60

_before_send: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("before_send", default=None)

MAX_PIECE = 256 * 1024
"""The most bytes of a request body that are written in one step."""
MAX_HEAD_BYTES = 100 * 1024  # of a line of the head, as over httpcore; some proxies send long headers


class StreamingTransport(AiohttpTransport):
    """Maps every aiohttp error to the httpx error with the same meaning."""

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(
            verify=verify, trust_env=False, client=self._session, proxy=_with_credentials_as_header(proxy)
        )

    def _session(self) -> aiohttp.ClientSession:
        """The number of connections is unlimited: waiting for one would use up the first-token deadline."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self.ssl_context, keepalive_timeout=KEEP_ALIVE)
        timeout = aiohttp.ClientTimeout(total=None)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=timeout,
            trust_env=False,
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
            trace_configs=[_trace_config()],
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        token = _before_send.set(request.extensions.get(BEFORE_SEND))
        try:
            response = await super().handle_async_request(_in_pieces(request))
        except httpx.ConnectTimeout as error:
            raise _connect_error(error) from error.__cause__
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        finally:
            _before_send.reset(token)
        return response


def _trace_config() -> aiohttp.TraceConfig:
    """Trace callbacks, which aiohttp calls in the coroutine of the request."""
    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(_has_connection)
    config.on_connection_reuseconn.append(_has_connection)
    return config


async def _has_connection(*_arguments: object) -> None:
    if before_send := _before_send.get():
        await before_send()


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), MAX_PIECE):
            yield self._content[start : start + MAX_PIECE]


def _in_pieces(request: httpx.Request) -> httpx.Request:
    """A request whose large body is sent in pieces: aiohttp would write all of it in one turn of the event
    loop, and warns of it from 1 MiB on."""
    try:
        content = request.content
    except httpx.RequestNotRead:  # its sender streams it
        return request
    if len(content) <= MAX_PIECE:
        return request
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=_Pieces(content),
        extensions=request.extensions,
    )


def _with_credentials_as_header(proxy: httpx.Proxy | None) -> httpx.Proxy | None:
    """aiohttp sends `Authorization` to the proxy as `Proxy-Authorization`, and to nobody else. httpx_aiohttp
    would pass the credentials by a class that aiohttp deprecates."""
    if not (proxy and proxy.raw_auth):
        return proxy
    credentials = b64encode(b":".join(proxy.raw_auth)).decode("ascii")
    return httpx.Proxy(proxy.url, headers={"Authorization": f"Basic {credentials}"})


def _connect_error(error: httpx.ConnectTimeout) -> httpx.TransportError:
    """httpx_aiohttp reports every failure to connect as a timeout."""
    if isinstance(error.__cause__, TimeoutError):
        return error
    return httpx.ConnectError(str(error))
