from __future__ import annotations

from gencode.retrieval.fusion import fused, text_trust
from gencode.retrieval.tokens import query_terms


def order(*rankings: tuple[str, float]) -> str:
    return "".join(key for key, _ in fused(rankings))


def test_a_weak_encoder_does_not_change_the_first_place_of_the_text_search() -> None:
    assert order(("abc", 1), ("bca", 0.2))[0] == "a"
    assert order(("abc", 1), ("bca", 1))[0] == "b"


def test_what_only_the_vectors_found_is_in_the_result() -> None:
    assert order(("ab", 1), ("xy", 0.2)) == "abxy"


def test_a_text_search_without_trust_comes_after_the_vectors() -> None:
    assert order(("ab", 0.01), ("xy", 0.2)) == "xyab"


def test_equal_scores_are_in_the_order_of_the_rankings() -> None:
    assert order(("ba", 1), ("dc", 1)) == "bdac"


def test_trust_is_by_the_terms_that_the_best_texts_have() -> None:
    terms = query_terms("who built the stadium of Levi in Santa Clara")
    assert text_trust(terms, ["The stadium in Santa Clara was built in 2014."]) == 1
    assert text_trust(terms, ["没有", "位于 Santa Clara 的体育场"]) < 0.5
    assert text_trust(terms, ["没有"]) == text_trust(terms, []) == text_trust([], ["a"]) == 0
    assert text_trust(query_terms("税"), ["所得税"]) == 1
