from __future__ import annotations

import pytest

from gencode.retrieval.highlights import MAX_HIGHLIGHTS, highlights
from gencode.retrieval.tokens import query_terms


def marked(text: str, question: str) -> list[str]:
    return [text[start:end] for start, end in highlights(text, query_terms(question))]


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("The getUserName function", "user_name", ["getUserName"]),
        ("Backups run at three, BACKUPS fail", "backups", ["Backups", "BACKUPS"]),
        ("发布由两名工程师批准。", "谁批准发布", ["发布", "批准"]),
        ("软件工程是学科", "软件工程", ["软件工程"]),
        ("税率是百分之十", "税", ["税"]),
        ("全角ＡＰＩ接口", "api接口", ["ＡＰＩ接口"]),
        ("Straße und Café", "cafe", ["Café"]),
        ("nothing here", "other words", []),
        ("", "a", []),
        ("a.b", "", []),
    ],
)
def test_the_words_of_a_question_are_marked(text: str, question: str, expected: list[str]) -> None:
    assert marked(text, question) == expected


def test_there_is_a_most_of_them() -> None:
    assert len(highlights("a. " * 1_000, query_terms("a"))) == MAX_HIGHLIGHTS
