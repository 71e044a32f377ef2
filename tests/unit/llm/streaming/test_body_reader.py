"""Reading response bodies: encodings and limits."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest

from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.errors import LLMBadOutput, LLMBadRequest, LLMTooLarge
from gencode.llm.streaming.body_reader import MAX_ERROR_BYTES, BodyReader
from gencode.llm.streaming.error_mapping import ErrorMapper


def reader(blocks: Iterable[bytes], max_bytes: int = 2**20, **headers: str) -> BodyReader:
    async def content() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.Response(200, headers=named, content=content())
    return BodyReader(response, DeadlineTimer(Deadlines()), max_bytes, ErrorMapper("test"))


async def body_of(source: BodyReader) -> bytes:
    found = b""
    while (block := await source.read()) is not None:
        found += block
    return found


async def test_gzip_is_decoded_although_it_was_not_requested() -> None:
    packed = gzip.compress(b"one\ntwo\n")
    blocks = [packed[at : at + 3] for at in range(0, len(packed), 3)]
    assert await body_of(reader(blocks, content_encoding="gzip")) == b"one\ntwo\n"


async def test_a_gzip_bomb_is_never_inflated_in_memory() -> None:
    bomb = gzip.compress(b"\n" * 2**26)
    tracemalloc.start()
    try:
        with pytest.raises(LLMTooLarge):
            await body_of(reader([bomb], content_encoding="gzip"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**25


async def test_compressed_bytes_without_content_count_too() -> None:
    head = zlib.compressobj(wbits=31)
    start = head.compress(b"") + head.flush(zlib.Z_SYNC_FLUSH)
    empty = b"\x00\x00\x00\xff\xff" * 1000  # stored blocks of length 0
    with pytest.raises(LLMTooLarge):
        await body_of(reader([start, *[empty] * 1000], content_encoding="gzip"))


async def test_the_error_names_an_unsupported_encoding() -> None:
    with pytest.raises(LLMBadRequest, match="'br'"):
        await body_of(reader([b"x"], content_encoding="br"))
    with pytest.raises(LLMBadOutput, match="gzip"):
        await body_of(reader([b"x" * 50], content_encoding="gzip"))


async def test_an_error_page_is_read_up_to_its_limit_or_its_end() -> None:
    assert await reader([b"so ", b"sorry"]).error_page() == b"so sorry"
    assert len(await reader([b"x" * 50_000] * 10).error_page()) == MAX_ERROR_BYTES
    assert await reader([b"x"], content_encoding="br").error_page() == b""


@pytest.mark.parametrize(
    ("headers", "delimited"),
    [({"content_length": "3"}, True), ({"transfer_encoding": "gzip, Chunked"}, True), ({"x": "y"}, False)],
)
async def test_a_body_without_a_length_ends_with_the_connection(
    headers: dict[str, str], delimited: bool
) -> None:
    source = BodyReader(
        httpx.Response(200, headers={name.replace("_", "-"): value for name, value in headers.items()}),
        DeadlineTimer(Deadlines()),
        10,
        ErrorMapper("test"),
    )
    assert source.is_delimited is delimited


async def test_nested_compression_is_refused() -> None:
    """Two layers of gzip make a gigabyte of ten kilobytes."""
    with pytest.raises(LLMBadRequest, match="gzip, gzip"):
        await body_of(reader([gzip.compress(gzip.compress(b"x"))], content_encoding="gzip, gzip"))
