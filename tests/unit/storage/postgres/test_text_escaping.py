from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gencode.storage.postgres.text_escaping import escape, unescape, unescape_row

TEXTS = st.text(alphabet=st.sampled_from("\0\1\2\3a生\U0010ffff"))


@given(TEXTS)
def test_every_text_comes_back_and_holds_no_null_on_the_way(text: str) -> None:
    assert unescape(escape(text)) == text
    assert "\0" not in escape(text)


@given(TEXTS, TEXTS)
def test_escaped_texts_sort_and_compare_as_before(one: str, other: str) -> None:
    assert (escape(one) < escape(other)) == (one < other)
    assert (escape(one) == escape(other)) == (one == other)


def test_usual_texts_stay_as_they_are() -> None:
    usual = "生成 🎉 \2 \r\n"
    assert escape(usual) is usual
    assert unescape_row((usual, None, 1)) == (usual, None, 1)
