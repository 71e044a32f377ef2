"""HTTP exchanges without redirects and without credentials of the environment, with a bounded reply and a
deadline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
import httpx

from gencode.outbound.content_decoder import ContentDecoder, UnreadableEncoding
from gencode.outbound.transport import Outbound

MAX_REPLY_BYTES = 4 * 2**20  # a push report has 10 KB of progress; a list of refs can be long
MAX_JSON_BYTES = 512 * 1024  # the JSON of a new repository has 6 KB; parsed, it can take 20 times the memory
CONNECT_SECONDS = 10.0


class ReplyTooLong(httpx.TransportError):
    """The reply is longer than its reader allows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpReply:
    """A whole HTTP response."""

    status: int
    headers: httpx.Headers
    content: bytes


def http_client(outbound: Outbound | None = None) -> httpx.AsyncClient:
    """A client that ignores the proxies and the .netrc of the environment: either could send a token to
    another server."""
    return httpx.AsyncClient(transport=(outbound or Outbound()).transport(), trust_env=False)


async def exchange(
    client: httpx.AsyncClient, request: httpx.Request, deadline: float, max_bytes: int = MAX_REPLY_BYTES
) -> HttpReply:
    """Send the request and read the whole response. Raises httpx.TransportError.

    deadline   seconds for all of it; after them httpx.ReadTimeout is raised. A peer that sends a byte at a
               time never exceeds the timeouts of single reads
    max_bytes  of the body, before and after decoding; one more raises ReplyTooLong
    """
    try:
        with anyio.fail_after(deadline):
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                content = await _read(response, max_bytes)
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"no whole answer within {deadline:g} s") from error
    except UnreadableEncoding as error:
        raise httpx.RemoteProtocolError(f"the answer cannot be read: {error}") from error
    return HttpReply(status=response.status_code, headers=response.headers, content=content)


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    content = bytearray()
    async for piece in _pieces(response, max_bytes):
        content += piece
        if len(content) > max_bytes:
            raise _too_long(max_bytes)
    return bytes(content)


async def _pieces(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    """The decoded body, of which at most `max_bytes` are received."""
    decoder = ContentDecoder(response.headers.get("content-encoding", ""))
    received = 0
    async for raw in response.aiter_raw():
        received += len(raw)
        if received > max_bytes:
            raise _too_long(max_bytes)
        for piece in decoder.decode(raw):
            yield piece
    if received:  # responses to HEAD and with status 204 have no body
        yield decoder.finish()


def _too_long(max_bytes: int) -> ReplyTooLong:
    return ReplyTooLong(f"the answer is longer than {max_bytes} bytes")
