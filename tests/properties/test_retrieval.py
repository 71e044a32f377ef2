"""Chunks cover their text, terms are terms, and quotes of a text are found in it."""

from __future__ import annotations

import re

import tree_sitter_python
from hypothesis import given
from hypothesis import strategies as st

from gencode.retrieval.chunking import split_document
from gencode.retrieval.citations import Quote, verify_quotes
from gencode.retrieval.records import Chunk
from gencode.retrieval.tokens import MAX_TERM, PREFIX, index_terms, query_terms

WORDS = (
    "软件",
    "。",
    "，",
    "\n\n",
    "\n",
    "# ",
    "- ",
    "```\n",
    "def f():\n",
    " ",
    "name ",
    "getName",
    "ﬁ",
    "１",
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.sampled_from(WORDS), max_size=2_000).map("".join),
)
PARTS = st.lists(TEXTS, min_size=1, max_size=4)


@given(PARTS, st.sampled_from(["text", "markdown", "code"]))
def test_chunks_cover_the_text_and_its_pages(pages: list[str], form: str) -> None:
    text = "".join(pages)
    starts = [len("".join(pages[:n])) for n in range(len(pages))]
    language = tree_sitter_python.language()
    document = split_document("a", text, form=form, language=language, page_starts=starts)  # type: ignore[arg-type]
    assert "".join(chunk.text for chunk in document.chunks) == text
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in document.chunks)
    assert [chunk.ordinal for chunk in document.chunks] == list(range(len(document.chunks)))
    for chunk in document.chunks:
        assert chunk.page_at(chunk.start) == sum(start <= chunk.start for start in starts)
        assert chunk.page_at(chunk.end - 1) == sum(start < chunk.end for start in starts)
    again = split_document("a", text, form=form, language=language, page_starts=starts)  # type: ignore[arg-type]
    assert again == document


@given(st.text() | TEXTS)
def test_terms_are_words(text: str) -> None:
    terms = [*index_terms(text), *(term.removesuffix(PREFIX) for term in query_terms(text))]
    for term in terms:
        assert 0 < len(term) <= MAX_TERM
        assert not re.search(r"[\s\x00-\x2f\x3a-\x60\x7b-\x7f\ud800-\udfff]", term)


@given(TEXTS)
def test_a_text_is_found_by_each_of_its_terms(text: str) -> None:
    terms = index_terms(text)
    for term in query_terms(text):
        assert any(found.startswith(term[:-1]) for found in terms) if term.endswith(PREFIX) else term in terms


@given(TEXTS, st.data())
def test_a_part_between_boundaries_is_verified(text: str, data: st.DataObject) -> None:
    spots = [0, *(spot for found in re.finditer(r"\s+", text) for spot in found.span()), len(text)]
    start, end = sorted(data.draw(st.tuples(st.sampled_from(spots), st.sampled_from(spots))))
    chunk = Chunk(document="a", ordinal=0, start=0, text=text)
    (citation,) = verify_quotes([Quote(text=text[start:end])], [chunk], {chunk.ref: chunk})
    assert citation.is_verified or len(text[start:end].strip()) <= 2
    for place in citation.locations:
        assert text[place.start : place.end] == place.text
        assert "".join(place.text.split()) == "".join(text[start:end].split())


@given(st.text(), st.text())
def test_what_is_verified_stands_in_the_text(text: str, quote: str) -> None:
    chunk = Chunk(document="a", ordinal=0, start=0, text=text)
    (citation,) = verify_quotes([Quote(text=quote)], [chunk], {chunk.ref: chunk})
    assert all(text[place.start : place.end] == place.text for place in citation.locations)
