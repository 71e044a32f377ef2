from __future__ import annotations

from collections.abc import Mapping

import pytest

from gencode.diffs import Refusal, Suggestion, apply_suggestion, apply_suggestions

DATA = "一\nb\n\tc\nd\n".encode()


def suggestion(first: int, last: int, old: str, replacement: str) -> Suggestion:
    return Suggestion(first=first, last=last, old=old, replacement=replacement)


@pytest.mark.parametrize(
    ("data", "change", "made"),
    [
        (DATA, suggestion(1, 1, "一", "二"), "二\nb\n\tc\nd\n".encode()),
        (DATA, suggestion(2, 3, "b\n\tc\n", "B\nC\nD\n"), "一\nB\nC\nD\nd\n".encode()),
        (DATA, suggestion(4, 4, "d", ""), "一\nb\n\tc\n".encode()),
        (DATA, suggestion(2, 2, "b", "\n"), "一\n\n\tc\nd\n".encode()),
        (b"a\r\nb\r\n", suggestion(1, 2, "a\nb", "x\ny\nz"), b"x\r\ny\r\nz\r\n"),
        (b"a\nb", suggestion(2, 2, "b", "c\nd\n"), b"a\nc\nd"),
        (b"a\x0cb\n", suggestion(1, 1, "a\x0cb", "c\u2028d"), "c\u2028d\n".encode()),
        (b"\xff\nb\n", suggestion(2, 2, "b", "c"), b"\xff\nc\n"),
    ],
)
def test_exact_lines_are_replaced(data: bytes, change: Suggestion, made: bytes) -> None:
    assert apply_suggestion(data, change) == made


REFUSED: Mapping[str, Suggestion] = {
    "another text": suggestion(2, 2, "B", "x"),
    "another text: space": suggestion(3, 3, "    c", "x"),
    "another text: the line above": suggestion(3, 3, "b", "x"),
    "another text: more lines": suggestion(2, 3, "b", "x"),
    "4 lines only": suggestion(4, 5, "d\n", "x"),
    "no lines": suggestion(0, 1, "一", "x"),
    "no lines: reversed": suggestion(3, 2, "", "x"),
    "text that stands there": suggestion(2, 2, "b", "b\n"),
    "not valid text": suggestion(2, 2, "b", "\ud800"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_does_not_fit_exactly_is_refused_with_the_reason(reason: str) -> None:
    made = apply_suggestion(DATA, REFUSED[reason])
    assert isinstance(made, Refusal)
    assert reason.partition(":")[0] in made.reason


def test_lines_that_are_not_text_are_refused() -> None:
    made = apply_suggestion(b"\xff\n", suggestion(1, 1, "\ufffd", "x"))
    assert made == Refusal(reason="These lines are not UTF-8")


def test_several_suggestions_are_applied_together_or_not_at_all() -> None:
    first, last = suggestion(1, 2, "一\nb", "x"), suggestion(4, 4, "d", "y")
    assert apply_suggestions(DATA, [last, first]) == b"x\n\tc\ny\n"
    overlapping = apply_suggestions(DATA, [first, suggestion(2, 3, "b\n\tc", "z")])
    assert overlapping == Refusal(reason="Line 2 is replaced by another suggestion")
    assert apply_suggestions(DATA, []) == DATA
