"""The bytes of one response: decoded, counted, watched, and cut into lines."""

from __future__ import annotations

import zlib
from contextlib import suppress

import anyio
import httpx

from gencode.domain.errors import GencodeError
from gencode.llm.deadlines import DeadlineTimer
from gencode.llm.errors import LLMBadOutput, LLMTooLarge
from gencode.llm.openai.error_mapping import ErrorMapper

BLOCK = 256 * 1024  # a gzip bomb unrolls by this much at a time
ERROR_BYTES = 64 * 1024  # of an error page; its first sentences are all that is told
DRAIN_SECONDS = 0.25  # a new TLS connection costs about as much
ERROR_SECONDS = 5.0  # for an error page; the status alone says most


class StreamReader:
    """Reads at most `max_bytes`, before and after decoding; one more raises LLMTooLarge.

    httpx's own decoding inflates a whole read at once (64 KiB can become 64 MiB), and its `aiter_lines` also
    breaks lines at U+2028 and NEL, which JSON strings may hold: both are done here.
    """

    def __init__(
        self, response: httpx.Response, watch: DeadlineTimer, max_bytes: int, failures: ErrorMapper
    ) -> None:
        self._raw = response.aiter_raw()
        self._watch = watch
        self._max_bytes = max_bytes
        self._failures = failures
        self._received = self._decoded = 0
        self._is_json = response.headers.get("content-type", "").startswith("application/json")
        self._encoding = response.headers.get("content-encoding", "").strip().lower()
        self._gzip = zlib.decompressobj(wbits=31) if self._encoding in ("gzip", "x-gzip") else None
        self._packed = b""
        self._queue: list[bytes] = []
        self._ended = False

    async def lines(self) -> list[bytes] | None:
        """The lines that the next read completes, maybe none; None at the end.

        A plain JSON body counts as one line: some servers answer `stream: true` that way.
        """
        if self._is_json:
            return None if self._ended else [(await self._whole()).strip()]
        block = await self._read()
        if block is not None:
            return self._split(block)
        rest, self._queue = b"".join(self._queue), []
        return rest.splitlines() or None

    async def error_page(self) -> bytes:
        """The beginning of the body, or as much of it as came before it broke."""
        page = b""
        with suppress(GencodeError), anyio.move_on_after(ERROR_SECONDS):
            while len(page) < ERROR_BYTES and (block := await self._read()) is not None:
                page += block
        return page[:ERROR_BYTES]

    async def drain(self) -> None:
        """Read what little follows the last event, so that the connection can be used again."""
        with suppress(GencodeError), anyio.move_on_after(DRAIN_SECONDS):
            while await self._read() is not None:
                pass

    async def _whole(self) -> bytes:
        blocks = []
        while (block := await self._read()) is not None:
            if block.strip():  # DeepSeek keeps a connection alive with empty lines before the JSON
                self._watch.progress()
            blocks.append(block)
        return b"".join(blocks)

    def _split(self, block: bytes) -> list[bytes]:
        """Complete lines without their ends. bytes.splitlines knows CR, LF and CRLF and nothing else."""
        if b"\n" not in block:
            self._queue.append(block)
            return []
        head, _, rest = block.rpartition(b"\n")
        lines = b"".join([*self._queue, head, b"\n"]).splitlines()
        self._queue = [rest]
        return lines

    async def _read(self) -> bytes | None:
        if self._packed:
            return self._unpack(self._packed)
        if self._ended:
            return None
        try:
            raw = await self._watch.wait(lambda: anext(self._raw, None))
        except httpx.HTTPError as error:
            raise self._failures.of_reading(error) from error
        if raw is None:
            self._ended = True
            return self._gzip.flush() if self._gzip else None
        self._received += len(raw)
        return self._unpack(raw)

    def _unpack(self, raw: bytes) -> bytes:
        block = self._inflate(raw)
        self._decoded += len(block)
        if max(self._received, self._decoded) > self._max_bytes:
            raise LLMTooLarge(
                f"The model's answer exceeds {self._max_bytes} bytes. Ask for a smaller project."
            )
        return block

    def _inflate(self, raw: bytes) -> bytes:
        """Identity was asked for; proxies compress all the same, and gzip is what they use."""
        if self._encoding in ("", "identity"):
            return raw
        if self._gzip is None:
            raise self._failures.wrong_address(f"it answers in the encoding {self._encoding[:40]!r}")
        try:
            block = self._gzip.decompress(raw, BLOCK)
        except zlib.error as error:
            raise LLMBadOutput(f"The model's answer is not the gzip it claims to be ({error}).") from error
        self._packed = self._gzip.unconsumed_tail
        return block
