from __future__ import annotations

from collections.abc import Sequence

import pytest

from gencode.retrieval.citations import MAX_LOCATIONS, Citation, Quote, Unsupported, verify_quotes
from gencode.retrieval.records import Chunk, ChunkRef

FIRST = "系统在 30 秒内\n响应请求，最多 1.5 MB。"
SECOND = "The limit is  15 MB per file.\nＡＰＩ２０２４ is stable."


def chunks(*texts: str, document: str = "a") -> list[Chunk]:
    starts = [sum(map(len, texts[:n])) for n in range(len(texts))]
    return [
        Chunk(document=document, ordinal=n, start=start, text=text, page=1, page_breaks=(start + 5,))
        for n, (start, text) in enumerate(zip(starts, texts, strict=True))
    ]


SHOWN = chunks(FIRST, SECOND)


def verify(text: str, source: ChunkRef | None = None, stored: Sequence[Chunk] = SHOWN) -> Citation:
    (citation,) = verify_quotes(
        [Quote(text=text, source=source)], SHOWN, {chunk.ref: chunk for chunk in stored}
    )
    return citation


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("系统在 30 秒内", "系统在 30 秒内"),
        ("30 秒内响应请求", "30 秒内\n响应请求"),
        ("系统在30秒内响应请求，最多1.5 MB", "系统在 30 秒内\n响应请求，最多 1.5 MB"),
        ("响应请求,最多", "响应请求，最多"),
        ("  limit is 15 MB ", "limit is  15 MB"),
        ("per file. API2024", "per file.\nＡＰＩ２０２４"),
        ("1.5 MB。The limit", "1.5 MB。The limit"),
        ("15\u200b MB", "15 MB"),
    ],
)
def test_a_quote_is_verified_with_the_text_of_its_source(quote: str, source: str) -> None:
    citation = verify(quote)
    (found,) = citation.locations
    assert citation.is_verified
    assert found.text == source == (FIRST + SECOND)[found.start : found.end]
    assert found.document == "a"


@pytest.mark.parametrize(
    "quote",
    [
        "系统在 31 秒内",
        "系统在 30 秒内 响应请求。",
        "THE LIMIT",
        "5 MB",  # a part of 1.5 MB and of 15 MB
        "1 MB",
        "limit is 1",
        "imit is",
        "Thelimit is",
        "最多 1",
        "per file. API202",
        "stable. The",
    ],
)
def test_what_is_almost_right_is_unsupported(quote: str) -> None:
    assert verify(quote) == Citation(quote=Quote(text=quote), reason=Unsupported.NOT_FOUND)


@pytest.mark.parametrize("quote", ["", "   ", "\u200b", "统", "5"])
def test_a_quote_of_less_than_two_characters_proves_nothing(quote: str) -> None:
    assert verify(quote).reason is Unsupported.TOO_SHORT


def test_a_quote_has_a_limited_length() -> None:
    assert verify("quote " * 2_000).reason is Unsupported.TOO_LONG


def test_a_quote_may_span_consecutive_chunks() -> None:
    (found,) = verify("MB。The limit").locations
    assert found.chunks == tuple(chunk.ref for chunk in SHOWN)
    assert (found.start, found.end) == (len(FIRST) - 3, len(FIRST) + 9)


def test_it_does_not_span_chunks_that_are_not_consecutive() -> None:
    first, second = chunks("one two ", "three four ")
    apart = Chunk(document="a", ordinal=5, start=100, text=second.text)
    stored = {chunk.ref: chunk for chunk in (first, apart)}
    (citation,) = verify_quotes([Quote(text="two three")], [first, apart], stored)
    assert citation.reason is Unsupported.NOT_FOUND


def test_the_page_is_that_of_the_quote() -> None:
    assert [place.page for place in verify("系统在").locations] == [1]
    assert [place.page for place in verify("响应请求").locations] == [2]


def test_the_source_that_is_named_must_be_the_one() -> None:
    first, second = SHOWN
    assert verify("15 MB", second.ref).is_verified
    assert verify("15 MB", first.ref).reason is Unsupported.OTHER_SOURCE
    assert verify("MB。The limit", first.ref).is_verified
    assert verify("MB。The limit", second.ref).is_verified


def test_a_source_that_was_not_shown_is_none() -> None:
    elsewhere = ChunkRef(document="a", ordinal=0, sha256="0" * 64)
    assert verify("15 MB", elsewhere).reason is Unsupported.NOT_SHOWN


def test_a_source_that_was_changed_since_is_none() -> None:
    first, second = SHOWN
    assert verify("15 MB", stored=[first]).reason is Unsupported.SOURCE_CHANGED
    assert verify("15 MB", second.ref, stored=[first]).reason is Unsupported.SOURCE_CHANGED
    assert verify("15 MB", second.ref, stored=chunks(FIRST, "other")).reason is Unsupported.SOURCE_CHANGED


def test_a_stored_text_that_is_not_the_one_of_its_digest_is_none() -> None:
    first, _ = SHOWN
    forged = Chunk(document="a", ordinal=0, start=0, text="forged")
    (citation,) = verify_quotes([Quote(text="forged")], [first], {first.ref: forged})
    assert citation.reason is Unsupported.NOT_FOUND


def test_the_locations_of_a_quote_are_limited() -> None:
    shown = chunks("yes no " * 100)
    stored = {chunk.ref: chunk for chunk in shown}
    (citation,) = verify_quotes([Quote(text="yes")], shown, stored)
    assert [place.start for place in citation.locations] == [7 * n for n in range(MAX_LOCATIONS)]
