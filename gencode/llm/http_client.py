"""The HTTP client for model APIs: httpx over aiohttp."""

from __future__ import annotations

import httpx

from gencode.outbound.lazy_transport import LazyTransport
from gencode.outbound.transport import Outbound


def model_client(outbound: Outbound | None = None) -> httpx.AsyncClient:
    """A client without redirects, cookies and proxies of the environment: they could send the API key, or the
    state of another call, to the wrong server. The caller limits the time and the number of calls."""
    outbound = outbound or Outbound()
    return httpx.AsyncClient(
        transport=outbound.routed(lambda proxy: LazyTransport(outbound.tls, proxy)),
        follow_redirects=False,
        trust_env=False,
    )


def is_incomplete_response(error: httpx.HTTPError) -> bool:
    """Whether the server ended the response early, as opposed to a failure of the network."""
    cause = type(error.__cause__).__name__  # by name, since aiohttp may not be imported
    return isinstance(error, httpx.RemoteProtocolError) or cause == "ClientPayloadError"
