"""Reads the body of one response: decodes it, limits its size and time, and splits it into lines."""

from __future__ import annotations

import zlib
from contextlib import suppress

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


class StreamReader:
    """Reads at most `max_bytes`, before and after decoding; one more raises LLMTooLarge.

    Decoding and line splitting are done here because httpx inflates a whole read at once (64 KiB can become
    64 MiB), and its `aiter_lines` also breaks lines at U+2028 and NEL, which JSON strings may contain.
    """

    def __init__(
        self, response: httpx.Response, timer: DeadlineTimer, max_bytes: int, errors: ErrorMapper
    ) -> None:
        self._raw = response.aiter_raw()
        self._timer = timer
        self._max_bytes = max_bytes
        self._errors = errors
        self._received = self._decoded = 0
        self._is_json = response.headers.get("content-type", "").startswith("application/json")
        self._encoding = response.headers.get("content-encoding", "").strip().lower()
        self._gzip = zlib.decompressobj(wbits=31) if self._encoding in ("gzip", "x-gzip") else None
        self._compressed = b""
        self._partial_line: list[bytes] = []
        self._ended = False

    async def lines(self) -> list[bytes] | None:
        """The lines that the next read completes, possibly none; None at the end.

        A plain JSON body counts as one line: some servers answer `stream: true` that way.
        """
        if self._is_json:
            return None if self._ended else [(await self._read_all()).strip()]
        block = await self._read()
        if block is not None:
            return self._split(block)
        last, self._partial_line = b"".join(self._partial_line), []
        return last.splitlines() or None

    async def error_page(self) -> bytes:
        """The beginning of the body, as far as it arrives."""
        page = b""
        with suppress(GencodeError), anyio.move_on_after(MAX_ERROR_SECONDS):
            while len(page) < MAX_ERROR_BYTES and (block := await self._read()) is not None:
                page += block
        return page[:MAX_ERROR_BYTES]

    async def drain(self) -> None:
        """Read the little that follows the last event, so that the connection can be reused."""
        with suppress(GencodeError), anyio.move_on_after(MAX_DRAIN_SECONDS):
            while await self._read() is not None:
                pass

    async def _read_all(self) -> bytes:
        blocks = []
        while (block := await self._read()) is not None:
            if block.strip():  # DeepSeek keeps a connection alive with empty lines before the JSON
                self._timer.progress()
            blocks.append(block)
        return b"".join(blocks)

    def _split(self, block: bytes) -> list[bytes]:
        """Complete lines without their ends. bytes.splitlines splits at CR, LF and CRLF only."""
        if b"\n" not in block:
            self._partial_line.append(block)
            return []
        head, _, rest = block.rpartition(b"\n")
        lines = b"".join([*self._partial_line, head, b"\n"]).splitlines()
        self._partial_line = [rest]
        return lines

    async def _read(self) -> bytes | None:
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
