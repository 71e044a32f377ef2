"""A response that a worker thread reads while it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager

import anyio
import anyio.from_thread
import httpx

from gencode.githosts.errors import GitNetwork, GitProtocol, GitRejected, GitTimeout
from gencode.githosts.fetch.errors import RepositoryTooLarge
from gencode.outbound.checked_transport import AddressRefused
from gencode.outbound.content_decoder import ContentDecoder, UnreadableEncoding
from gencode.security.redaction import quoted


class StreamedResponse:
    """Sends the request at once. The body is read as dulwich asks for it, and the attributes are those that
    dulwich reads. Raises GitError.

    limit    bytes of the body; more raise RepositoryTooLarge
    secrets  what no message may contain
    """

    def __init__(
        self, client: httpx.AsyncClient, request: httpx.Request, limit: int, secrets: Sequence[str]
    ) -> None:
        self._client = client
        self._limit = limit
        self._received = 0
        self._secrets = tuple(secrets)
        self._buffer = bytearray()
        self._pieces: AsyncGenerator[bytes, None] | None = None
        self._is_over = False
        self._response: httpx.Response = anyio.from_thread.run(self._send, request)
        self.status = self._response.status_code
        self.headers: Mapping[str, str] = self._response.headers
        self.content_type: str | None = self.headers.get("content-type")
        self.redirect_location = ""

    def peek(self, size: int) -> bytes:
        """The first bytes, as many as come in one piece."""
        if not self._buffer:
            self._fill()
        return bytes(self._buffer[:size])

    def read(self, amt: int | None = None) -> bytes:
        """Exactly so many bytes, fewer at the end."""
        while not self._is_over and (amt is None or len(self._buffer) < amt):
            self._fill()
        taken = bytes(self._buffer[:amt])
        del self._buffer[: len(taken)]
        return taken

    def geturl(self) -> str | None:
        return None

    def close(self) -> None:
        """Also in a task that is cancelled."""
        anyio.from_thread.run(self._close)

    def _fill(self) -> None:
        piece = anyio.from_thread.run(self._next)
        self._is_over = piece is None
        self._buffer += piece or b""

    async def _send(self, request: httpx.Request) -> httpx.Response:
        with _git_errors(self._secrets):
            return await self._client.send(request, stream=True, auth=None, follow_redirects=False)

    async def _next(self) -> bytes | None:
        self._pieces = self._pieces or self._decoded()
        with _git_errors(self._secrets):
            return await anext(self._pieces, None)

    async def _decoded(self) -> AsyncGenerator[bytes, None]:
        decoder = ContentDecoder(self.headers.get("content-encoding", ""))
        async for raw in self._response.aiter_raw():
            for piece in decoder.decode(raw):
                self._received += len(piece)
                if self._received > self._limit:
                    raise RepositoryTooLarge(f"the host sends more than {self._limit} bytes")
                yield piece
        if rest := decoder.finish():
            yield rest

    async def _close(self) -> None:
        with anyio.CancelScope(shield=True):
            if self._pieces:
                await self._pieces.aclose()
            await self._response.aclose()


@contextmanager
def _git_errors(secrets: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise GitTimeout("the Git server did not answer in time; try again later") from error
    except AddressRefused as error:
        raise GitRejected(f"the repository's address {error}; the operator can allow a network") from error
    except httpx.TransportError as error:
        quote = quoted(str(error), secrets)
        raise GitNetwork(f"the connection to the Git server failed{quote}") from error
    except UnreadableEncoding as error:
        raise GitProtocol(f"the host's answer cannot be read: {error}") from error
