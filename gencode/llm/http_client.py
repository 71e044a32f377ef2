"""The HTTP client for models: httpx in front, aiohttp underneath.

Measured with 50 streams of 100 events a second, one core holds twice as many streams as over httpcore
(tests/benchmarks/streams.py).
"""

from __future__ import annotations

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

KEEP_ALIVE = 30.0  # seconds; most servers close idle connections after 60


def model_client(tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """Redirects are refused, cookies and the environment's proxies ignored: they would carry the key, or one
    call's state, to where it does not belong. Deadlines are set per call; so is the number of calls."""
    return httpx.AsyncClient(
        transport=_Transport(verify=tls or httpx.create_ssl_context()),
        follow_redirects=False,
        trust_env=False,
    )


def broken_off(error: httpx.HTTPError) -> bool:
    """Whether the server ended its answer before it was whole, rather than the network the connection."""
    return isinstance(error, httpx.RemoteProtocolError) or isinstance(
        error.__cause__, aiohttp.ClientPayloadError
    )


class _Transport(AiohttpTransport):
    """Gives every failure of aiohttp as the httpx error that it is."""

    def __init__(self, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        """No limit of connections: waiting for one would eat the first-token deadline."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self.ssl_context, keepalive_timeout=KEEP_ALIVE)
        timeout = aiohttp.ClientTimeout(total=None)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout, trust_env=False
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.ConnectTimeout as error:
            raise _meant(error) from error.__cause__
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        return response


def _meant(error: httpx.ConnectTimeout) -> httpx.TransportError:
    """The transport calls every broken connection a timeout."""
    if isinstance(error.__cause__, TimeoutError):
        return error
    return httpx.ConnectError(str(error))
