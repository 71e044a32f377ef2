"""Reading response bodies: lines, encodings and limits."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.llm.deadlines import Deadlines, DeadlineTimer
from gencode.llm.errors import LLMBadOutput, LLMBadRequest, LLMTooLarge
from gencode.llm.openai.body_reader import MAX_ERROR_BYTES, StreamReader
from gencode.llm.openai.error_mapping import ErrorMapper


def reader(blocks: Iterable[bytes], max_bytes: int = 2**20, **headers: str) -> StreamReader:
    async def content() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.Response(200, headers=named, content=content())
    return StreamReader(response, DeadlineTimer(Deadlines()), max_bytes, ErrorMapper("test"))


async def lines_of(source: StreamReader) -> list[bytes]:
    found: list[bytes] = []
    while (lines := await source.lines()) is not None:
        found += lines
    return found


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", "\u2028 \u0085 é".encode(), b": x"])), st.data())
async def test_lines_do_not_depend_on_how_the_bytes_arrive(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    blocks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert await lines_of(reader(blocks)) == whole.splitlines()


async def test_gzip_is_decoded_although_it_was_not_requested() -> None:
    packed = gzip.compress(b"one\ntwo\n")
    blocks = [packed[at : at + 3] for at in range(0, len(packed), 3)]
    assert await lines_of(reader(blocks, content_encoding="gzip")) == [b"one", b"two"]


async def test_a_gzip_bomb_is_never_inflated_in_memory() -> None:
    bomb = gzip.compress(b"\n" * 2**26)
    tracemalloc.start()
    try:
        with pytest.raises(LLMTooLarge):
            await lines_of(reader([bomb], content_encoding="gzip"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**25


async def test_compressed_bytes_without_content_count_too() -> None:
    head = zlib.compressobj(wbits=31)
    start = head.compress(b"") + head.flush(zlib.Z_SYNC_FLUSH)
    empty = b"\x00\x00\x00\xff\xff" * 1000  # stored blocks of length 0
    with pytest.raises(LLMTooLarge):
        await lines_of(reader([start, *[empty] * 1000], content_encoding="gzip"))


async def test_the_error_names_an_unsupported_encoding() -> None:
    with pytest.raises(LLMBadRequest, match="'br'"):
        await lines_of(reader([b"x"], content_encoding="br"))
    with pytest.raises(LLMBadOutput, match="gzip"):
        await lines_of(reader([b"x" * 50], content_encoding="gzip"))


async def test_an_error_page_is_read_up_to_its_limit_or_its_end() -> None:
    assert await reader([b"so ", b"sorry"]).error_page() == b"so sorry"
    assert len(await reader([b"x" * 50_000] * 10).error_page()) == MAX_ERROR_BYTES
    assert await reader([b"x"], content_encoding="br").error_page() == b""


async def test_a_json_body_is_one_line() -> None:
    source = reader([b"\n\n", b'{\n"a"', b":\n1}\n"], content_type="application/json; charset=utf-8")
    assert await lines_of(source) == [b'{\n"a":\n1}']
