from __future__ import annotations

import pytest
import tree_sitter_python

from gencode.retrieval.chunking import WINDOW, split_document
from gencode.retrieval.errors import UnusableText
from gencode.retrieval.records import text_digest

PARAGRAPH = "这是第一句话。这是第二句话！它们属于同一个段落。\n\n"
CODE = "\n\n".join(f"def function_{n}(a, b):\n    total = a * {n}\n    return total + b\n" for n in range(80))


def test_chunks_name_their_place_and_the_digest_of_their_text() -> None:
    text = "# 标题\n\n" + PARAGRAPH * 60
    document = split_document("guide", text, form="markdown")
    assert document.sha256 == text_digest(text)
    assert len(document.chunks) > 2
    for number, chunk in enumerate(document.chunks):
        assert (chunk.document, chunk.ordinal) == ("guide", number)
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.ref.sha256 == text_digest(chunk.text)


def test_chunks_end_with_sentences() -> None:
    document = split_document("a", PARAGRAPH * 200)
    assert all(chunk.text.rstrip().endswith(("。", "！")) for chunk in document.chunks)


def test_chunks_of_code_start_with_definitions() -> None:
    document = split_document("a.py", CODE, form="code", language=tree_sitter_python.language())
    assert len(document.chunks) > 2
    assert all(chunk.text.lstrip().startswith("def ") for chunk in document.chunks)


def test_code_without_a_grammar_is_split_as_text() -> None:
    document = split_document("a.unknown", CODE, form="code")
    assert "".join(chunk.text for chunk in document.chunks) == CODE


def test_a_heading_is_not_a_chunk_of_its_own() -> None:
    text = "".join(f"# Heading {n}\n\n{'A sentence of this section. ' * 60}\n\n" for n in range(5))
    document = split_document("a", text, form="markdown")
    assert min(len(chunk.text) for chunk in document.chunks) > 100


def test_pages_are_those_of_the_offsets() -> None:
    pages = [f"第{n}页。" + "内容在这里。" * 50 for n in range(1, 6)]
    starts = [sum(map(len, pages[:n])) for n in range(5)]
    document = split_document("a", "".join(pages), page_starts=starts)
    for chunk in document.chunks:
        for offset in range(chunk.start, chunk.end):
            assert chunk.page_at(offset) == sum(start <= offset for start in starts)


def test_a_text_without_pages_has_none() -> None:
    (chunk,) = split_document("a", "text").chunks
    assert chunk.page is None
    assert chunk.page_at(2) is None


def test_an_empty_text_has_no_chunks() -> None:
    assert split_document("a", "").chunks == ()


@pytest.mark.parametrize("unit", ["a", "中", " ", "\n", "\r\n", "a\u0301", "👨\u200d"])
def test_a_text_without_breaks_is_split_all_the_same(unit: str) -> None:
    text = unit * (3 * WINDOW)
    document = split_document("a", text, form="markdown")
    assert "".join(chunk.text for chunk in document.chunks) == text
    assert max(len(chunk.text) for chunk in document.chunks) <= WINDOW


@pytest.mark.parametrize(
    ("text", "starts"), [("a\ud800", ()), ("abc", (1,)), ("abc", (0, 2, 1)), ("abc", (0, 4))]
)
def test_unusable_input_is_refused(text: str, starts: tuple[int, ...]) -> None:
    with pytest.raises(UnusableText):
        split_document("a", text, page_starts=starts)
