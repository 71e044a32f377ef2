"""Chunks cover their text, quotes of a text are found in it, an index finds what it has."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

import tree_sitter_python
from hypothesis import given, settings
from hypothesis import strategies as st

from gencode.retrieval.chunking import split_document
from gencode.retrieval.citations import LONGEST, Quote, verify_quotes
from gencode.retrieval.memory import MemoryIndex
from gencode.retrieval.records import Chunk
from gencode.retrieval.sqlite.index import open_sqlite_index
from gencode.retrieval.sqlite.schema import prepare
from gencode.retrieval.tokens import MAX_TERM, PREFIX, index_terms, query_terms
from gencode.storage.sqlite.connection import connect
from tests.contract.test_retrieval_index import ask, document

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
    "\xad",
    "\u200b",
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
    wanted = _visible(text[start:end])
    assert citation.is_verified or len(wanted) <= 2 or end - start > LONGEST
    for place in citation.locations:
        assert text[place.start : place.end] == place.text
        assert _visible(place.text) == wanted


def _visible(text: str) -> str:
    """A text without what does not count in quotes: white space, zero-width characters, soft hyphens."""
    return re.sub(r"[\s\xad\u200b-\u200d\u2060\ufeff]+", "", text)


@given(st.text(), st.text())
def test_what_is_verified_stands_in_the_text(text: str, quote: str) -> None:
    chunk = Chunk(document="a", ordinal=0, start=0, text=text)
    (citation,) = verify_quotes([Quote(text=quote)], [chunk], {chunk.ref: chunk})
    assert all(text[place.start : place.end] == place.text for place in citation.locations)


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS_OF_WORDS = st.lists(st.sampled_from(["软件", "工程", "name", "税", "。"]), max_size=6).map("".join)
CHANGES = st.lists(st.tuples(NAMES, st.none() | st.lists(TEXTS_OF_WORDS, max_size=3)), max_size=12)


@settings(max_examples=30)
@given(CHANGES, st.text(max_size=20))
def test_an_index_finds_what_it_has_and_nothing_else(
    changes: list[tuple[str, list[str] | None]], question: str
) -> None:
    """None removes a document. SQLite and memory agree, and the text index has the terms of the chunks."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_apply(Path(folder) / "retrieval.db", changes, question))


async def _apply(path: Path, changes: list[tuple[str, list[str] | None]], question: str) -> None:
    expected: dict[str, list[str]] = {}
    memory = MemoryIndex()
    async with open_sqlite_index(path) as index:
        for name, texts in changes:
            put, remove = ([document(name, *texts)], []) if texts is not None else ([], [name])
            positions = {await each.apply("a", put=put, remove=remove) for each in (index, memory)}
            assert len(positions) == 1
            expected.pop(name, None)
            expected.update({name: texts} if texts is not None else {})
        for word in ("软件", "件工", "税", "name", question):
            found = await ask(index, word)
            assert sorted(found) == sorted(await ask(memory, word))
            terms = query_terms(word)
            assert sorted(found) == sorted(
                (name, n)
                for name, texts in expected.items()
                for n, text in enumerate(texts)
                if any(_has(index_terms(text), term) for term in terms)
            )
    if changes:
        _check_text_index(path)


def _has(terms: list[str], term: str) -> bool:
    if term.endswith(PREFIX):
        return any(found.startswith(term.removesuffix(PREFIX)) for found in terms)
    return term in terms


def _check_text_index(path: Path) -> None:
    connection = connect(path, 5, prepare)
    connection.execute("INSERT INTO text_1 (text_1, rank) VALUES ('integrity-check', 1)")
    connection.close()
