"""The HTTP client for model APIs: httpx over aiohttp, which is imported after the service has started."""

from __future__ import annotations

import ssl
from importlib import import_module
from typing import Any

import anyio
import httpx

from gencode.outbound.transport import Outbound

BEFORE_SEND = "gencode.before_send"
"""Extension of a request: awaited when there is a connection for it, and before anything of it is sent."""


def model_client(outbound: Outbound | None = None) -> httpx.AsyncClient:
    """A client without redirects, cookies and proxies of the environment: they could send the API key, or the
    state of another call, to the wrong server. The caller limits the time and the number of calls."""
    outbound = outbound or Outbound()
    return httpx.AsyncClient(
        transport=outbound.routed(lambda proxy: _LazyTransport(outbound.tls, proxy)),
        follow_redirects=False,
        trust_env=False,
    )


async def import_transport() -> Any:
    """Imports aiohttp in a thread, which takes a tenth of a start; returns the module of ModelTransport."""
    return await anyio.to_thread.run_sync(import_module, "gencode.llm.aiohttp_transport")


def is_incomplete_response(error: httpx.HTTPError) -> bool:
    """Whether the server ended the response early, as opposed to a failure of the network."""
    cause = type(error.__cause__).__name__  # by name, since aiohttp may not be imported
    return isinstance(error, httpx.RemoteProtocolError) or cause == "ClientPayloadError"


class _LazyTransport(httpx.AsyncBaseTransport):
    """A ModelTransport that is made for the first request."""

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None) -> None:
        self._verify = verify
        self._proxy = proxy
        self._transport: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._transport is None:
            make = (await import_transport()).ModelTransport
            if self._transport is None:  # another request may have made it meanwhile
                self._transport = make(self._verify, self._proxy)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport:
            await self._transport.aclose()
