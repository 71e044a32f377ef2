"""Reads the body of one response: decodes it, and limits its size and time."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import cast

import anyio
import httpx

from gencode.domain.errors import GencodeError
from gencode.llm.deadlines import DeadlineTimer
from gencode.llm.errors import LLMBadOutput, LLMTooLarge
from gencode.llm.openai.error_mapping import ErrorMapper

MAX_INFLATED = 256 * 1024  # bytes at a time, so that a gzip bomb is noticed early
MAX_ERROR_BYTES = 64 * 1024  # of an error page; only its first sentences are shown
MAX_DRAIN_SECONDS = 0.25  # a new TLS connection takes about as long
MAX_ERROR_SECONDS = 5.0  # for an error page; the status alone says most


class BodyReader:
    """Reads at most `max_bytes`, before and after decoding; one more raises LLMTooLarge.

    Decoding is done here because httpx inflates a whole read at once: 64 KiB can become 64 MiB.

    is_delimited  whether the head says where the body ends. Otherwise it ends with the connection, and a
                  server that died in the middle looks like one that was done.
    """

    def __init__(
        self, response: httpx.Response, timer: DeadlineTimer, max_bytes: int, errors: ErrorMapper
    ) -> None:
        self._raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())
        self._timer = timer
        self._max_bytes = max_bytes
        self._errors = errors
        self._received = self._decoded = 0
        headers = response.headers
        self.is_delimited = (
            "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
        )
        self._encoding = headers.get("content-encoding", "").strip().lower()
        self._gzip = zlib.decompressobj(wbits=31) if self._encoding in ("gzip", "x-gzip") else None
        self._compressed = b""
        self._ended = False

    async def read(self) -> bytes | None:
        """The next bytes, possibly none; None at the end."""
        if self._compressed:
            return self._decode(self._compressed)
        if self._ended:
            return None
        try:
            raw = await self._timer.wait(lambda: anext(self._raw, None))
        except httpx.HTTPError as error:
            raise self._errors.from_read_error(error) from error
        if raw is None:
            self._ended = True
            return self._gzip.flush() if self._gzip else None
        self._received += len(raw)
        return self._decode(raw)

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

    def _decode(self, raw: bytes) -> bytes:
        block = self._inflate(raw)
        self._decoded += len(block)
        if max(self._received, self._decoded) > self._max_bytes:
            raise LLMTooLarge(
                f"The model's answer exceeds {self._max_bytes} bytes. Ask for a smaller project."
            )
        return block

    def _inflate(self, raw: bytes) -> bytes:
        """The request accepts identity only; proxies may compress all the same, and they use gzip."""
        if self._encoding in ("", "identity"):
            return raw
        if self._gzip is None:
            raise self._errors.wrong_address(f"it answers in the encoding {self._encoding[:40]!r}")
        try:
            block = self._gzip.decompress(raw, MAX_INFLATED)
        except zlib.error as error:
            raise LLMBadOutput(f"The model's answer is not the gzip it claims to be ({error}).") from error
        self._compressed = self._gzip.unconsumed_tail
        return block
