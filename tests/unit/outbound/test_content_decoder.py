from __future__ import annotations

import gzip
import tracemalloc
from itertools import islice

import pytest

from gencode.outbound.content_decoder import MAX_PIECE, ContentDecoder, UnreadableEncoding


def decoded(encoding: str, *reads: bytes) -> bytes:
    decoder = ContentDecoder(encoding)
    pieces = [piece for read in reads for piece in decoder.decode(read)]
    assert all(0 < len(piece) <= MAX_PIECE for piece in pieces)
    return b"".join(pieces) + decoder.finish()


@pytest.mark.parametrize("size", [0, 1, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE, 5_000_000])
@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "X-GZIP"])
def test_a_body_of_any_size_is_decoded(encoding: str, size: int) -> None:
    body = bytes(n % 251 for n in range(min(size, 1000))) * (size // 1000) + b"x" * (size % 1000)
    sent = gzip.compress(body) if "gzip" in encoding.lower() else body
    assert decoded(encoding, sent) == body
    assert decoded(encoding, *(sent[n : n + 700] for n in range(0, len(sent), 700))) == body


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,gzip", "deflate", "br", "zstd", "x" * 100_000])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnreadableEncoding, match="it answers in the encoding") as refused:
        ContentDecoder(encoding)
    assert len(str(refused.value)) < 100


WHOLE = gzip.compress(b"whole")


@pytest.mark.parametrize(
    ("reads", "reason"),
    [
        ([b"plain"], "not the gzip"),
        ([WHOLE[:-1]], "ends too early"),
        ([WHOLE + b"more"], "bytes follow"),
        ([WHOLE, b"more"], "bytes follow"),
        ([WHOLE, WHOLE], "bytes follow"),
        ([WHOLE[:-8] + bytes(8)], "not the gzip"),
    ],
)
def test_broken_gzip_is_refused(reads: list[bytes], reason: str) -> None:
    with pytest.raises(UnreadableEncoding, match=reason):
        decoded("gzip", *reads)


def test_a_reader_that_stops_has_only_what_it_took() -> None:
    bomb = gzip.compress(b" " * 2**28)
    decoder = ContentDecoder("gzip")
    tracemalloc.start()
    try:
        first = list(islice(decoder.decode(bomb), 2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [len(piece) for piece in first] == [MAX_PIECE] * 2
    assert peak < 2**23
