"""One HTTP exchange: no redirects, no credentials from the environment, a bounded reply, a deadline."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import anyio
import httpx

MAX_REPLY_BYTES = 4 * 2**20  # the JSON of a new repository has 6 KB, a push report 10 KB of progress
CONNECT_SECONDS = 10.0


class ReplyTooLong(httpx.TransportError):
    """The reply is longer than MAX_REPLY_BYTES."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReply:
    """A whole HTTP response."""

    status: int
    headers: httpx.Headers
    content: bytes


def http_client(tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """A client that ignores the proxies and the .netrc of the environment: either could send a token to
    another server."""
    return httpx.AsyncClient(verify=tls or httpx.create_ssl_context(), trust_env=False)


async def exchange(client: httpx.AsyncClient, request: httpx.Request, deadline: float) -> HttpReply:
    """Send the request and read the whole response. Raises httpx.TransportError.

    deadline  seconds for all of it; after them httpx.ReadTimeout is raised. A peer that sends a byte at a
              time never exceeds the timeouts of single reads.
    """
    try:
        with anyio.fail_after(deadline):
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"no whole answer within {deadline:g} s") from error
    except httpx.DecodingError as error:
        raise httpx.RemoteProtocolError("the answer's compression is broken") from error
    return HttpReply(status=response.status_code, headers=response.headers, content=content)


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise ReplyTooLong(f"the answer is longer than {MAX_REPLY_BYTES} bytes")
    return bytes(content)
