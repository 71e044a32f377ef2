from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gencode.providers.redaction import LENGTH, quote


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key my-own-key is bad", "key [redacted] is bad"),
        ("got sk-proj-abc_DEF-123", "got [redacted]"),
        ("got sk-ab***********cdef.", "got [redacted]"),
        ("Authorization: bearer eyJhbGciOi.x.y", "Authorization: [redacted]"),
        ("see https://me:pass@host/x", "see https://[redacted]host/x"),
        ("<html><h1>502</h1>\r\n\x00 bad\tgateway \u202e", "502 bad gateway"),
        ("risk-free task-list", "risk-free task-list"),
    ],
)
def test_words_are_shown_without_secrets_markup_and_controls(text: str, shown: str) -> None:
    assert quote(text, ["my-own-key"]) == shown


def test_a_secret_across_the_cut_does_not_show_its_beginning() -> None:
    secret = "z9" * 20
    assert "z9" not in quote("x" * (LENGTH - 10) + secret, [secret])


@given(st.text(max_size=2000))
def test_a_quote_is_one_short_printable_line(text: str) -> None:
    shown = quote(text)
    assert len(shown) <= LENGTH
    assert shown.isprintable()
