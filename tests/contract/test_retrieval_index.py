"""The contract of `gencode.retrieval.port.RetrievalIndex`, for each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gencode.retrieval.errors import EncoderIncomplete, EncoderMismatch
from gencode.retrieval.memory import MemoryIndex
from gencode.retrieval.port import EncoderInfo, RetrievalIndex
from gencode.retrieval.postgres.index import open_postgres_index
from gencode.retrieval.records import (
    Candidates,
    Chunk,
    ChunkRef,
    IndexedDocument,
    SearchRequest,
    text_digest,
)
from gencode.retrieval.sqlite.index import open_sqlite_index
from gencode.retrieval.tokens import query_terms
from gencode.retrieval.vectors import to_half

OLD = EncoderInfo(name="letters", version="1", dimensions=3)
NEW = EncoderInfo(name="letters", version="2", dimensions=2)


@pytest_asyncio.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.campaign)])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RetrievalIndex]:
    if request.param == "memory":
        yield MemoryIndex()
    elif request.param == "postgresql":
        async with open_postgres_index(request.getfixturevalue("postgres")) as opened:
            yield opened
    else:
        async with open_sqlite_index(tmp_path / "retrieval.db") as stored:
            yield stored


def document(name: str, *texts: str, chunker: str = "1") -> IndexedDocument:
    """Chunks with these texts, each on a page of its own."""
    starts = [sum(map(len, texts[:n])) for n in range(len(texts))]
    chunks = [
        Chunk(document=name, ordinal=n, start=start, text=text, page=n + 1, page_breaks=(start + 1,))
        for n, (start, text) in enumerate(zip(starts, texts, strict=True))
    ]
    return IndexedDocument(id=name, sha256=text_digest("".join(texts)), chunker=chunker, chunks=chunks)


async def ask(
    index: RetrievalIndex, question: str, *documents: str, base: str = "a", limit: int = 50
) -> list[tuple[str, int]]:
    """Documents and ordinals of the chunks that the text search found."""
    request = SearchRequest(
        base=base,
        terms=query_terms(question),
        documents=frozenset(documents) if documents else None,
        limit=limit,
    )
    return places(await index.search(request))


def places(candidates: Candidates, *, by_vector: bool = False) -> list[tuple[str, int]]:
    scores = candidates.by_vector if by_vector else candidates.by_text
    assert [score.score for score in scores] == sorted((score.score for score in scores), reverse=True)
    chunks = [candidates.chunks[score.chunk] for score in scores]
    return [(chunk.document, chunk.ordinal) for chunk in chunks]


async def nearest(
    index: RetrievalIndex, encoder: EncoderInfo, vector: list[float], *documents: str, limit: int = 50
) -> list[tuple[str, int]]:
    request = SearchRequest(
        base="a",
        terms=(),
        encoder=encoder.id,
        vector=to_half([vector], encoder.dimensions)[0],
        documents=frozenset(documents) if documents else None,
        limit=limit,
    )
    return places(await index.search(request), by_vector=True)


async def encode(index: RetrievalIndex, encoder: EncoderInfo, limit: int = 100) -> None:
    """Vectors by the number of "x", "y" and "z"."""
    for chunk in await index.unencoded("a", encoder.id, limit):
        vector = [0.01 + chunk.text.count(letter) for letter in "xyz"][: encoder.dimensions]
        await index.store_vectors("a", encoder.id, {chunk.ref: to_half([vector], encoder.dimensions)[0]})


async def test_a_base_that_does_not_exist_is_empty(index: RetrievalIndex) -> None:
    state = await index.state("a")
    assert (state.position, state.documents, state.chunks, state.encoders) == (0, 0, 0, ())
    assert await ask(index, "软件") == []
    assert await index.documents("a") == await index.chunks("a", "x") == []
    assert await index.find("a", [ChunkRef(document="x", ordinal=0, sha256="")]) == {}
    assert await index.unencoded("a", OLD.id, 1) == []
    await index.drop("a")


async def test_what_was_put_is_found(index: RetrievalIndex) -> None:
    texts = ("软件工程是一门学科。", "The getUserName function.", "税率是百分之十。")
    await index.apply("a", put=[document("guide", *texts), document("other", "天气很好。")])
    assert await ask(index, "什么是软件工程？") == [("guide", 0)]
    assert await ask(index, "user_name") == [("guide", 1)]
    assert await ask(index, "GETUSERNAME") == [("guide", 1)]
    assert await ask(index, "税") == [("guide", 2)]
    assert await ask(index, "率") == [("guide", 2)]
    assert await ask(index, "。") == []
    assert await ask(index, "经济") == []


async def test_chunks_come_back_as_they_were_put(index: RetrievalIndex) -> None:
    put = document("guide", "a\0b\1\n", "\u2028 中 \U0001f600", "'\\\"%;--")
    await index.apply("a", put=[put])
    assert await index.chunks("a", "guide") == list(put.chunks)
    assert await index.chunks("a", "guide", first=1, limit=1) == [put.chunks[1]]
    found = await index.find("a", [chunk.ref for chunk in put.chunks])
    assert found == {chunk.ref: chunk for chunk in put.chunks}


async def test_a_rare_term_counts_more_than_a_frequent_one(index: RetrievalIndex) -> None:
    documents = [document(f"{n:02}", f"关于接口的说明，编号{n}。") for n in range(20)]
    await index.apply("a", put=[*documents, document("rare", "缓存。")])
    assert (await ask(index, "接口说明 缓存"))[0] == ("rare", 0)


async def test_scores_are_those_of_bm25(index: RetrievalIndex) -> None:
    """The index in memory computes them by the definition."""
    texts = ("税 " * n + "common " * (n % 3) + "other words " * (n % 7) for n in range(40))
    documents = [document(f"{n:02}", text) for n, text in enumerate(texts)]
    memory = MemoryIndex()
    for each in (index, memory):
        await each.apply("a", put=documents)
    request = SearchRequest(base="a", terms=["税", "common", "words", "missing"])
    found, expected = await index.search(request), await memory.search(request)
    assert places(found) == places(expected)
    scores = [score.score for score in expected.by_text]
    assert [score.score for score in found.by_text] == pytest.approx(scores, abs=1e-6)


async def test_equal_scores_are_in_the_order_of_document_and_ordinal(index: RetrievalIndex) -> None:
    for name in ("c", "a", "b"):
        await index.apply("a", put=[document(name, "same text", "same text")])
    await index.apply("a", put=[document("z", "different")])
    expected = [(name, ordinal) for name in "abc" for ordinal in (0, 1)]
    assert await ask(index, "text") == expected
    assert await ask(index, "text", limit=4) == expected[:4]


async def test_a_search_can_be_limited_to_documents(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document(name, "same text") for name in ("a", "b'", "c")])
    assert await ask(index, "text", "b'", "missing") == [("b'", 0)]
    request = SearchRequest(base="a", terms=["text"], documents=frozenset())
    assert places(await index.search(request)) == []


async def test_bases_do_not_see_each_other(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("x", "one two")])
    await index.apply("b", put=[document("x", "two three")])
    assert await ask(index, "one three", base="b") == [("x", 0)]
    assert await ask(index, "one", base="b") == []
    await index.drop("b")
    assert await ask(index, "two", base="b") == []
    assert await ask(index, "two") == [("x", 0)]
    assert (await index.state("b")).position == 0


async def test_a_replaced_document_is_found_by_its_new_text_only(index: RetrievalIndex) -> None:
    before, after = document("x", "旧的内容", "更多"), document("x", "新的文字")
    await index.apply("a", put=[before])
    await index.apply("a", put=[after])
    assert await ask(index, "旧的内容 更多") == []
    assert await ask(index, "新的文字") == [("x", 0)]
    assert await index.find("a", [chunk.ref for chunk in before.chunks]) == {}


async def test_a_removed_document_is_not_found(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("x", "one"), document("y", "one")])
    await index.apply("a", remove=["x", "missing"])
    assert await ask(index, "one") == [("y", 0)]
    assert [entry.id for entry in await index.documents("a")] == ["y"]


async def test_the_position_shows_each_change(index: RetrievalIndex) -> None:
    first = await index.apply("a", put=[document("x", "one"), document("y", "two", "three")])
    second = await index.apply("a", put=[document("z", "four")], remove=["x"])
    state = await index.state("a")
    assert (first, second) == (1, 2) == (1, state.position)
    assert (state.documents, state.chunks) == (2, 3)
    assert [(entry.id, entry.chunks, entry.position) for entry in await index.documents("a")] == [
        ("y", 2, 1),
        ("z", 1, 2),
    ]
    assert (await index.search(SearchRequest(base="a", terms=["four"]))).position == 2


async def test_what_does_not_change_anything_keeps_the_position(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("x", "one")])
    assert await index.apply("a", put=[document("x", "one")], remove=["missing"]) == 1
    assert await index.apply("a", put=[document("x", "one", chunker="2")]) == 2


async def test_a_document_without_chunks_is_a_document(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("x")])
    assert (await index.state("a")).documents == 1


async def test_searches_see_whole_documents(index: RetrievalIndex) -> None:
    """Each version has as many chunks with its word as its number says."""
    versions = [document("x", *[f"word{n} common"] * n) for n in range(1, 9)]

    async def write() -> None:
        for version in versions:
            await index.apply("a", put=[version])

    writer = asyncio.create_task(write())
    while not writer.done():
        candidates = await index.search(SearchRequest(base="a", terms=["common"]))
        texts = [candidates.chunks[score.chunk].text for score in candidates.by_text]
        assert len(texts) == candidates.position
        assert set(texts) <= {f"word{len(texts)} common"}
        await asyncio.sleep(0)
    await writer


@pytest.mark.parametrize(
    "question",
    [
        '"',
        "'",
        "a OR",
        "NEAR(a b",
        "a*",
        "-a",
        "a:b",
        "(a",
        "^a",
        "{a}",
        "%",
        "\\",
        "\0",
        "\ud800",
        "a & !b",
        "AND",
    ],
)
async def test_no_question_is_syntax(index: RetrievalIndex, question: str) -> None:
    await index.apply("a", put=[document("x", "a b and or near")])
    assert set(await ask(index, question)) <= {("x", 0)}


async def test_a_question_of_many_terms_is_answered(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("x", "word5"), document("y", "other")])
    assert await ask(index, " ".join(f"word{n}" for n in range(5_000))) == [("x", 0)]


async def test_the_nearest_vectors_are_found(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("p", "xxx", "yyy"), document("q", "xxy", "zzz")])
    await index.add_encoder("a", OLD)
    await encode(index, OLD)
    await index.activate("a", OLD.id)
    assert await nearest(index, OLD, [1, 0, 0]) == [("p", 0), ("q", 0), ("p", 1), ("q", 1)]
    assert await nearest(index, OLD, [1, 0, 0], limit=1) == [("p", 0)]
    assert await nearest(index, OLD, [1, 0, 0], "q") == [("q", 0), ("q", 1)]


async def test_a_new_encoder_is_built_beside_the_old_one_and_switched_at_once(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("p", "xxx", "yyy")])
    await index.add_encoder("a", OLD)
    await encode(index, OLD)
    await index.activate("a", OLD.id)
    await index.add_encoder("a", NEW)
    await encode(index, NEW, limit=1)
    with pytest.raises(EncoderIncomplete):
        await index.activate("a", NEW.id)
    assert await nearest(index, OLD, [0, 1, 0], limit=1) == [("p", 1)]
    assert await nearest(index, NEW, [0, 1]) == []
    state = await index.state("a")
    assert [(each.encoder, each.encoded, each.is_active) for each in state.encoders] == [
        (OLD.id, 2, True),
        (NEW.id, 1, False),
    ]
    await encode(index, NEW)
    await index.activate("a", NEW.id)
    assert await nearest(index, NEW, [0, 1], limit=1) == [("p", 1)]
    assert await nearest(index, OLD, [0, 1, 0]) == []
    assert (await index.state("a")).active_encoder == NEW.id
    assert [each.encoder for each in (await index.state("a")).encoders] == [NEW.id]


async def test_vectors_are_searched_in_documents_that_are_encoded_as_a_whole(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("p", "xxx")])
    await index.add_encoder("a", OLD)
    await encode(index, OLD)
    await index.activate("a", OLD.id)
    await index.apply("a", put=[document("q", "xxx", "yyy")])
    assert await nearest(index, OLD, [1, 0, 0]) == [("p", 0)]
    await encode(index, OLD, limit=1)
    assert await nearest(index, OLD, [1, 0, 0]) == [("p", 0)]
    await encode(index, OLD)
    assert await nearest(index, OLD, [1, 0, 0]) == [("p", 0), ("q", 0), ("q", 1)]


async def test_the_vectors_of_a_removed_document_are_not_found(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("p", "xxx"), document("q", "yyy")])
    await index.add_encoder("a", OLD)
    await encode(index, OLD)
    await index.activate("a", OLD.id)
    await index.apply("a", put=[document("q", "zzz")], remove=["p"])
    assert await nearest(index, OLD, [1, 0, 0]) == []
    await encode(index, OLD)
    assert await nearest(index, OLD, [1, 0, 0]) == [("q", 0)]


async def test_a_vector_of_a_text_that_was_changed_since_is_not_stored(index: RetrievalIndex) -> None:
    before = document("p", "xxx")
    await index.apply("a", put=[before])
    await index.add_encoder("a", OLD)
    await index.apply("a", put=[document("p", "yyy")])
    await index.store_vectors("a", OLD.id, {before.chunks[0].ref: to_half([[1, 0, 0]], 3)[0]})
    assert (await index.state("a")).encoders[0].encoded == 0


async def test_vectors_that_do_not_fit_are_refused(index: RetrievalIndex) -> None:
    put = document("p", "xxx")
    await index.apply("a", put=[put])
    ref = put.chunks[0].ref
    with pytest.raises(EncoderMismatch):
        await index.store_vectors("a", OLD.id, {ref: bytes(6)})
    with pytest.raises(EncoderMismatch):
        await index.activate("a", OLD.id)
    await index.add_encoder("a", OLD)
    await index.add_encoder("a", OLD)
    with pytest.raises(EncoderMismatch):
        await index.add_encoder("a", EncoderInfo(name="letters", version="1", dimensions=4))
    with pytest.raises(EncoderMismatch):
        await index.store_vectors("a", OLD.id, {ref: bytes(8)})


async def test_chunks_without_a_vector_are_listed_for_one_document_too(index: RetrievalIndex) -> None:
    await index.apply("a", put=[document("one", "x", "y"), document("two", "z")])
    await index.add_encoder("a", OLD)
    places = lambda chunks: [(chunk.document, chunk.ordinal) for chunk in chunks]  # noqa: E731
    assert places(await index.unencoded("a", OLD.id, 9, "one")) == [("one", 0), ("one", 1)]
    assert places(await index.unencoded("a", OLD.id, 1, "one")) == [("one", 0)]
    assert places(await index.unencoded("a", OLD.id, 9, "two")) == [("two", 0)]
    assert await index.unencoded("a", OLD.id, 9, "other") == []
