"""Reads the body of one response: decodes it, and limits its size and time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import cast

import anyio
import anyio.lowlevel
import httpx

from gencode.domain.errors import GencodeError
from gencode.llm.deadlines import DeadlineTimer
from gencode.llm.errors import LLMBadOutput, LLMTooLarge
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.outbound.content_decoder import MAX_PIECE, ContentDecoder, UnreadableEncoding

MAX_ERROR_BYTES = 64 * 1024  # of an error page; only its first sentences are shown
MAX_DRAIN_SECONDS = 0.25  # a new TLS connection takes about as long
MAX_ERROR_SECONDS = 5.0  # for an error page; the status alone says most
_GZIP_MAGIC = b"\x1f\x8b"


class BodyReader:
    """Reads at most `max_bytes`, before and after decoding; one more raises LLMTooLarge.

    The body is decoded in pieces because httpx inflates a whole read at once: 64 KiB can become 64 MiB.

    is_delimited  whether the head says where the body ends. Otherwise it ends with the connection, and a
                  server that died in the middle looks like one that was done.
    """

    def __init__(
        self, response: httpx.Response, timer: DeadlineTimer, max_bytes: int, errors: ErrorMapper
    ) -> None:
        raw = self._raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())
        self._next_raw: Callable[[], Awaitable[bytes | None]] = lambda: anext(raw, None)
        self._timer = timer
        self._max_bytes = max_bytes
        self._errors = errors
        self._received = self._decoded = 0
        headers = response.headers
        self.is_delimited = (
            "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
        )
        self._encoding = headers.get("content-encoding", "")
        self._decoder: ContentDecoder | None = None
        self._pieces: Iterator[bytes] | None = None
        self._ended = False

    async def read(self) -> bytes | None:
        """The next bytes, possibly none; None at the end."""
        if self._pieces:
            await anyio.lowlevel.checkpoint()  # other tasks run between the pieces of one read
            if (piece := self._next_piece(self._pieces)) is not None:
                return piece
        self._pieces = None
        if self._ended:
            return None
        try:
            raw = await self._timer.wait(self._next_raw)
        except httpx.HTTPError as error:
            raise self._errors.from_read_error(error) from error
        if raw is None:
            return self._finish()
        if not (self._received or self._encoding) and raw.startswith(_GZIP_MAGIC):
            self._encoding = "gzip"  # some proxies compress and do not say so
        self._received += len(raw)
        if not self._encoding and len(raw) <= MAX_PIECE:
            return self._counted(raw)
        self._pieces = self._open_decoder().decode(raw)
        return self._next_piece(self._pieces) or b""

    async def aclose(self) -> None:
        await self._raw.aclose()

    async def error_page(self) -> bytes:
        """The beginning of the body, as far as it arrives."""
        page = b""
        with suppress(GencodeError), anyio.move_on_after(MAX_ERROR_SECONDS):
            while len(page) < MAX_ERROR_BYTES and (block := await self.read()) is not None:
                page += block
        return page[:MAX_ERROR_BYTES]

    async def drain(self) -> None:
        """Read the little that follows the last event, so that the connection can be reused."""
        with suppress(GencodeError), anyio.move_on_after(MAX_DRAIN_SECONDS):
            while await self.read() is not None:
                pass

    def _open_decoder(self) -> ContentDecoder:
        if self._decoder is None:
            try:
                self._decoder = ContentDecoder(self._encoding)
            except UnreadableEncoding as error:
                raise self._errors.wrong_address(str(error)) from error
        return self._decoder

    def _next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """None when what was received is decoded."""
        try:
            piece = next(pieces, None)
        except UnreadableEncoding as error:
            raise LLMBadOutput(f"The model's answer cannot be read: {error}.") from error
        self._counted(piece or b"")
        return piece

    def _counted(self, piece: bytes) -> bytes:
        self._decoded += len(piece)
        if self._received > self._max_bytes or self._decoded > self._max_bytes:
            raise LLMTooLarge(
                f"The model's answer exceeds {self._max_bytes} bytes. Ask for a smaller project."
            )
        return piece

    def _finish(self) -> bytes | None:
        self._ended = True
        with suppress(UnreadableEncoding):  # it was cut, which its text shows
            return self._decoder.finish() if self._decoder else None
        return None
