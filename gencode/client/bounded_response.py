"""Responses of which the client keeps a bounded part, whatever answers at the service's address.

httpx inflates a whole read at once, and as often as the header says: 10 KB on the wire can become 3 GB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from gencode.client.errors import ServiceError, unexpected_response
from gencode.outbound.content_decoder import ContentDecoder, UnreadableEncoding

MAX_BODY = 128 * 2**20
"""Bytes; an archive or a record of a task has about 32 MiB of text."""
MAX_ERROR_BODY = 2 * 2**20
"""The 1,000 broken rules of a body are 200 KB."""
MAX_EVENT = 32 * 2**20
"""Bytes of one event of a stream."""


async def with_body(response: httpx.Response) -> httpx.Response:
    """The response with its whole body, decoded. Raises ServiceError for a longer one, httpx.RequestError."""
    most = MAX_BODY if response.is_success else MAX_ERROR_BODY
    content = bytearray()
    async for piece in _pieces(response, most):
        content += piece
        if len(content) > most:
            raise _too_long(response, most)
    whole = _decoded(response, httpx.ByteStream(bytes(content)))
    await whole.aread()
    return whole


def with_events(response: httpx.Response) -> httpx.Response:
    """The response of an event stream, decoded while it is read; an event of more than MAX_EVENT bytes raises
    ServiceError."""
    return _decoded(response, _EventPieces(response))


class _EventPieces(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        since_event = 0
        async for piece in _pieces(self._response, None):
            ends = [piece.rfind(end) for end in (b"\n\n", b"\r\n\r\n", b"\r\r")]
            since_event = len(piece) - max(ends) if max(ends) >= 0 else since_event + len(piece)
            if since_event > MAX_EVENT:
                raise _too_long(self._response, MAX_EVENT)
            yield piece

    async def aclose(self) -> None:
        await self._response.aclose()


async def _pieces(response: httpx.Response, most: int | None) -> AsyncIterator[bytes]:
    """`most`: bytes that are received; None: any number."""
    received = 0
    try:
        decoder = ContentDecoder(response.headers.get("content-encoding", ""))
        async for raw in response.aiter_raw():
            received += len(raw)
            if most is not None and received > most:
                raise _too_long(response, most)
            for piece in decoder.decode(raw):
                yield piece
        if received:
            yield decoder.finish()
    except UnreadableEncoding as error:
        raise unexpected_response(response, f"its answer cannot be read: {error}") from None


def _decoded(response: httpx.Response, stream: httpx.ByteStream | httpx.AsyncByteStream) -> httpx.Response:
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
    return httpx.Response(response.status_code, headers=headers, stream=stream, request=response.request)


def _too_long(response: httpx.Response, most: int) -> ServiceError:
    return unexpected_response(response, f"its answer is longer than {most} bytes")
