"""One HTTP exchange: no redirects, no credentials of the client's own, a bounded reply, a deadline."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import anyio
import httpx

REPLY_BYTES = 4 * 2**20  # a new repository's JSON has 6 KB, a push report 10 KB of progress
CONNECT_SECONDS = 10.0


class ReplyTooLong(httpx.TransportError):
    """More bytes than any honest answer has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReply:
    status: int
    headers: httpx.Headers
    content: bytes


def http_client(tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """A client that ignores the environment's proxies and .netrc: a token must go where it is meant to."""
    return httpx.AsyncClient(verify=tls or httpx.create_ssl_context(), trust_env=False)


async def exchange(client: httpx.AsyncClient, request: httpx.Request, deadline: float) -> HttpReply:
    """Send and read all of the reply. Raises httpx.TransportError; a httpx.ReadTimeout after `deadline` s,
    since a peer that drips bytes never runs into the timeouts of single reads."""
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
        if len(content) > REPLY_BYTES:
            raise ReplyTooLong(f"the answer is longer than {REPLY_BYTES} bytes")
    return bytes(content)
