"""Quotes of an answer. What a model writes is hostile: reading it takes a time that its length bounds."""

from __future__ import annotations

import pytest

from gencode.pipelines.chat.sources import MAX_QUOTES, quotes_of

QUOTES = [
    ('[1] "three at night"', (0, "three at night")),
    ("  [12]“三点”  ", (11, "三点")),
    ('[2] 「a "b" c」', (1, 'a "b" c')),
]


@pytest.mark.parametrize(("line", "expected"), QUOTES)
def test_a_quote_stands_on_a_line_of_its_own(line: str, expected: tuple[int, str]) -> None:
    (found,) = quotes_of(f"The answer [1].\n{line}\nMore.")
    assert (found.source, found.text) == expected


@pytest.mark.parametrize("text", ["See [1].", "[1] no quote", '[1]\n"x"', 'So: [1] "x"', '[1] ""'])
def test_other_text_is_no_quote(text: str) -> None:
    assert quotes_of(text) == []


def test_there_are_at_most_so_many() -> None:
    assert len(quotes_of('[1] "x"\n' * 200)) == MAX_QUOTES
