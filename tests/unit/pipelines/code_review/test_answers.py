from __future__ import annotations

import json

import pytest

from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer
from gencode.pipelines.code_review.answers import MAX_CLAIMS, parse_review
from gencode.pipelines.code_review.findings import Category, Severity

ENTRY = {"path": "a.py", "anchor": "1#abcd", "title": "wrong", "body": "why"}


def read(text: str) -> list[dict[str, object]]:
    parsed = parse_review(Answer(text=text, truncated=False), 1000)
    return [one.model_dump() for one in parsed.findings]


@pytest.mark.parametrize(
    "text",
    [
        '{"findings": [%s]}',
        '```json\n{"findings": [%s],}\n```',
        "Here is what I found:\n[%s]",
        '{"review": {"findings": [%s]}}',
        "{findings: [%s, ], // that is all\n}",
    ],
)
def test_the_forms_in_which_models_answer_are_read(text: str) -> None:
    (one,) = read(text % json.dumps(ENTRY))
    assert (one["path"], one["anchor"], one["title"], one["body"]) == ("a.py", "1#abcd", "wrong", "why")


@pytest.mark.parametrize("text", ['{"findings": []}', "[]", "```json\n[]\n```"])
def test_an_empty_list_says_that_nothing_is_wrong(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize("text", ["", "No issues found.", '{"findings": "none"}', '{"result": []}', "null"])
def test_an_answer_without_a_list_is_asked_for_again(text: str) -> None:
    with pytest.raises(LLMBadOutput) as caught:
        read(text)
    assert "findings" in caught.value.for_model


@pytest.mark.parametrize(
    ("given", "severity", "category"),
    [
        ({"severity": "HIGH", "category": "Style"}, Severity.MAJOR, Category.MAINTAINABILITY),
        ({"severity": "blocker", "type": "security"}, Severity.CRITICAL, Category.SECURITY),
        ({"severity": 3, "category": None}, Severity.MINOR, Category.BUG),
        ({}, Severity.MINOR, Category.BUG),
    ],
)
def test_words_of_other_scales_are_understood(
    given: dict[str, object], severity: Severity, category: Category
) -> None:
    (one,) = read(json.dumps({"findings": [ENTRY | given]}))
    assert (one["severity"], one["category"]) == (severity, category)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0.8, 0.8), ("0.8", 0.8), (80, 0.8), ("high", 0.5), (-1, 0.5), ("nan", 0.5), ([], 0.5)],
)
def test_a_confidence_is_a_share(given: object, expected: float) -> None:
    (one,) = read(json.dumps({"findings": [ENTRY | {"confidence": given}]}))
    assert one["confidence"] == expected


def test_line_stands_for_anchor_and_message_for_body() -> None:
    (one,) = read('{"findings": [{"file": "a.py", "line": 12, "message": "Wrong.\\nBecause."}]}')
    assert (one["anchor"], one["title"], one["body"]) == ("12", "Wrong.", "Wrong.\nBecause.")


def test_entries_that_say_nothing_are_counted() -> None:
    answer = parse_review(
        Answer(text=json.dumps({"findings": ["x", {}, {"title": " "}, ENTRY]}), truncated=False), 1000
    )
    assert (len(answer.findings), answer.unreadable) == (1, 3)


def test_an_answer_is_bounded() -> None:
    long = ENTRY | {"title": "t" * 10**5, "body": "b" * 10**5, "suggestion": "s" * 10**5}
    found = read(json.dumps({"findings": [long] * (MAX_CLAIMS + 5)}))
    assert len(found) == MAX_CLAIMS
    assert len(json.dumps(found[0])) < 10_000
    assert found[0]["suggestion"] is None


def test_what_cannot_be_stored_is_replaced() -> None:
    (one,) = read('{"findings": [{"title": "a\\u0000b\\ud800c"}]}')
    assert one["title"] == "ab?c"


def test_a_suggestion_is_taken_out_of_its_fence_and_a_blank_one_is_none() -> None:
    fenced, blank = read(
        json.dumps(
            {"findings": [ENTRY | {"suggestion": "```py\n  x = 1\n```"}, ENTRY | {"suggestion": " \n"}]}
        )
    )
    assert (fenced["suggestion"], blank["suggestion"]) == ("  x = 1", None)
