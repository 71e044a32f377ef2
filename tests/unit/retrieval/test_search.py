from __future__ import annotations

from collections.abc import Sequence

import pytest

from gencode.llm.errors import LLMUnavailable
from gencode.retrieval.indexing import encode_missing
from gencode.retrieval.memory import MemoryIndex
from gencode.retrieval.port import Encoded, Encoder, EncoderInfo
from gencode.retrieval.search import HybridSearch
from gencode.retrieval.vectors import to_half
from tests.contract.test_retrieval_index import document

MEANINGS = {"car": "汽车", "house": "房子", "water": "水源"}


class Translating(Encoder):
    """Knows the meaning of three words in two languages. `errors`: raised by the next calls."""

    def __init__(self, version: str = "1", weight: float = 0.5, batch: int = 2) -> None:
        self.info = EncoderInfo(name="meanings", version=version, dimensions=4, weight=weight)
        self.batch = batch
        self.asked: list[Sequence[str]] = []
        self.errors: list[Exception] = []

    async def encode(self, texts: Sequence[str], *, is_query: bool = False) -> Encoded:
        self.asked.append(texts)
        if self.errors:
            raise self.errors.pop()
        rows = [[0.01, *(text.count(a) + text.count(b) for a, b in MEANINGS.items())] for text in texts]
        return Encoded(vectors=to_half(rows, 4), tokens=len(texts))


async def indexed(encoder: Translating) -> MemoryIndex:
    index = MemoryIndex()
    await index.apply("a", put=[document("cars", "汽车很快", "汽车与水源"), document("houses", "房子很大")])
    assert await encode_missing(index, "a", encoder) == 3
    await index.activate("a", encoder.info.id)
    return index


async def test_both_searches_are_joined() -> None:
    encoder = Translating()
    result = await HybridSearch(await indexed(encoder), [encoder]).search("car", ["a"])
    hits = [(hit.chunk.document, hit.chunk.ordinal) for hit in result.hits]
    assert hits == [("cars", 0), ("cars", 1), ("houses", 0)]
    assert (result.hits[0].text_rank, result.hits[0].vector_rank, result.hits[0].page) == (None, 1, 1)
    assert result.without_vectors == {}


async def test_what_both_found_is_before_what_one_found() -> None:
    encoder = Translating()
    result = await HybridSearch(await indexed(encoder), [encoder]).search("房子", ["a"], limit=1)
    (hit,) = result.hits
    assert (hit.chunk.document, hit.text_rank, hit.vector_rank) == ("houses", 1, 1)


async def test_a_failing_encoder_leaves_the_text_search_and_is_told() -> None:
    encoder = Translating()
    index = await indexed(encoder)
    encoder.errors = [LLMUnavailable("it is down")]
    result = await HybridSearch(index, [encoder]).search("房子", ["a"])
    assert [hit.chunk.document for hit in result.hits] == ["houses"]
    assert result.without_vectors == {"a": "it is down"}


async def test_an_encoder_that_is_not_configured_is_told() -> None:
    result = await HybridSearch(await indexed(Translating()), [Translating("2")]).search("房子", ["a"])
    assert [hit.chunk.document for hit in result.hits] == ["houses"]
    assert "meanings:1" in result.without_vectors["a"]


async def test_until_the_switch_questions_are_encoded_by_the_old_encoder() -> None:
    old, new = Translating(), Translating("2")
    index = await indexed(old)
    await encode_missing(index, "a", new)
    search = HybridSearch(index, [old, new])
    old.asked.clear()
    new.asked.clear()
    await search.search("car", ["a"])
    assert (old.asked, new.asked) == ([["car"]], [])
    await index.activate("a", new.info.id)
    await search.search("car", ["a"])
    assert (old.asked, new.asked) == ([["car"]], [["car"]])


async def test_several_bases_are_searched_with_one_encoding() -> None:
    encoder = Translating()
    index = await indexed(encoder)
    await index.apply("b", put=[document("more", "另一个房子"), document("else", "天气")])
    await encode_missing(index, "b", encoder)
    await index.activate("b", encoder.info.id)
    encoder.asked.clear()
    result = await HybridSearch(index, [encoder]).search("房子", ["a", "b", "a", "missing"])
    assert {(hit.base, hit.chunk.document) for hit in result.hits[:2]} == {("a", "houses"), ("b", "more")}
    assert encoder.asked == [["房子"]]
    assert result.positions == {"a": 5, "b": 4, "missing": 0}
    assert result.without_vectors == {"missing": ""}


async def test_a_search_is_limited_to_documents() -> None:
    encoder = Translating()
    search = HybridSearch(await indexed(encoder), [encoder])
    result = await search.search("汽车", ["a"], documents=frozenset(["houses"]))
    assert [hit.chunk.document for hit in result.hits] == ["houses"]


async def test_encoding_goes_on_where_it_failed() -> None:
    encoder = Translating(batch=1)
    index = MemoryIndex()
    await index.apply("a", put=[document("x", "car", "house", "water")])

    async def fail_at_house(texts: Sequence[str]) -> Encoded:
        if texts == ["house"]:
            raise LLMUnavailable("it is down")
        return await encoder.encode(texts)

    with pytest.raises(LLMUnavailable):
        await encode_missing(index, "a", encoder, fail_at_house)
    assert (await index.state("a")).encoders[0].encoded == 1
    assert await encode_missing(index, "a", encoder) == 2
    assert encoder.asked == [["car"], ["house"], ["water"]]


@pytest.mark.parametrize("question", ["", "   ", "?!", "\ud800", "x" * 1_000_000])
async def test_every_question_is_answered(question: str) -> None:
    encoder = Translating()
    await HybridSearch(await indexed(encoder), [encoder]).search(question, ["a"])
