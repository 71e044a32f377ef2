"""httpx over aiohttp, which is imported after the service has started."""

from __future__ import annotations

import ssl
from importlib import import_module
from typing import Any

import anyio
import httpx

BEFORE_SEND = "gencode.before_send"
"""Extension of a request: awaited when there is a connection for it, and before anything of it is sent."""


async def import_transport() -> Any:
    """Imports aiohttp in a thread, which takes a tenth of a start; returns the module of
    StreamingTransport."""
    return await anyio.to_thread.run_sync(import_module, "gencode.outbound.aiohttp_transport")


class LazyTransport(httpx.AsyncBaseTransport):
    """A StreamingTransport that is made for the first request."""

    def __init__(self, verify: ssl.SSLContext, proxy: httpx.Proxy | None) -> None:
        self._verify = verify
        self._proxy = proxy
        self._transport: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._transport is None:
            make = (await import_transport()).StreamingTransport
            if self._transport is None:  # another request may have made it meanwhile
                self._transport = make(self._verify, self._proxy)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport:
            await self._transport.aclose()
