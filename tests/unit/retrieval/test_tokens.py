from __future__ import annotations

import pytest

from gencode.retrieval.tokens import MAX_QUERY_TERMS, MAX_TERM, index_terms, query_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("软件工程", ["软件", "件工", "工程", "程"]),
        ("税", ["税"]),
        ("スーパー・マン", ["スー", "ーパ", "パー", "ー", "マン", "ン"]),
        ("한국어", ["한국", "국어", "어"]),
        ("Hello, World!", ["hello", "world"]),
        ("getUserName", ["get", "user", "name", "getusername"]),
        ("get_user_name __init__", ["get", "user", "name", "getusername", "init"]),
        ("HTTPServer utf8", ["http", "server", "httpserver", "utf8"]),
        ("Café Ångström", ["cafe", "angstrom"]),
        ("２０２４年 ｶﾞｽ ﬁn", ["2024", "年", "ガス", "ス", "fin"]),
        ("用Python写", ["用", "python", "写"]),
        ("हिन्दी", ["हिन्दी"]),
        ("\ud800 \u0970 \x00", []),
        ("", []),
    ],
)
def test_the_terms_of_a_text(text: str, terms: list[str]) -> None:
    assert index_terms(text) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("软件工程", ["软件", "件工", "工程"]),
        ("税", ["税*"]),
        ("税 税", ["税*"]),
        ("getUserName", ["get", "user", "name", "getusername"]),
        ('a" OR NEAR(b*) -c:d', ["a", "or", "near", "b", "c", "d"]),
    ],
)
def test_the_terms_of_a_question(text: str, terms: list[str]) -> None:
    assert query_terms(text) == terms


def test_a_long_word_and_its_beginning_are_one_term() -> None:
    assert index_terms("a" * 1_000) == ["a" * MAX_TERM] == query_terms("A" * 1_000)


def test_a_question_has_a_limited_number_of_terms() -> None:
    assert len(query_terms(" ".join(map(str, range(10_000))))) == MAX_QUERY_TERMS
