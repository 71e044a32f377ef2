"""What models do wrong in practice, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.llm.errors import LLMBadOutput
from gencode.llm.session import Answer
from gencode.pipelines.requirement_analysis.answers import (
    MAX_ITEM,
    MAX_ITEMS,
    MAX_OF_PART,
    read_comparison,
    read_part,
)
from gencode.workspace.requirement_documents.requirement import RequirementType

ONE = {
    "type": "functional",
    "statement": "The system must lock an account.",
    "quote": "must lock an account",
    "acceptance_criteria": ["after 5 failed logins"],
    "open_questions": [],
    "test_points": ["4 and 5 failed logins"],
}


def answer(value: Any, *, truncated: bool = False) -> Answer:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Answer(text=text, truncated=truncated)


def entries(*given: Any) -> list[dict[str, Any]]:
    found = read_part(answer({"requirements": list(given)}))
    return [one.model_dump(mode="json") for one in found.requirements]


def test_a_right_answer_is_taken_as_it_is() -> None:
    assert entries(ONE) == [ONE]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps({'requirements': [ONE]})}\n```",
        f"Here are the requirements:\n{json.dumps({'requirements': [ONE]})}\nAsk me for more.",
        json.dumps([ONE]),
        json.dumps({"result": {"requirements": [ONE]}}),
        json.dumps({"requirements": {"R1": ONE}}),
        json.dumps({"requirements": ONE}),
        json.dumps({"requirements": [ONE]})[:-2] + ",]}",
        json.dumps({"requirements": [ONE]}).replace("system must", "system\nmust"),
    ],
)
def test_the_list_is_found_whatever_is_around_it(text: str) -> None:
    (found,) = read_part(answer(text)).requirements
    assert " ".join(found.statement.split()) == ONE["statement"]


@pytest.mark.parametrize(
    ("field", "given", "read"),
    [
        ("acceptance_criteria", "after 5 failed logins", ["after 5 failed logins"]),
        ("acceptance_criteria", [5, 2.5, True, None, "", "x", "x"], ["5", "2.5", "x"]),
        ("acceptance_criteria", [{"criterion": "after 5", "unit": "logins"}], ["after 5: logins"]),
        ("test_points", None, []),
        ("open_questions", {"question": "which?"}, ["which?"]),
        ("acceptance_criteria", ["y" * 9999], ["y" * MAX_ITEM]),
        ("quote", 5, "5"),
        ("quote", {"text": "a", "page": 3}, "a"),
        ("quote", None, ""),
        ("quote", "a\x00b\ud800c", "abc"),
        ("statement", "two\n  lines", "two lines"),
        ("type", "Non-Functional", "non_functional"),
        ("type", "性能需求", "non_functional"),
        ("type", "约束条件", "constraint"),
        ("type", None, "functional"),
        ("type", ["functional"], "functional"),
    ],
)
def test_a_field_of_another_form_is_understood_or_empty(field: str, given: Any, read: Any) -> None:
    assert entries({**ONE, field: given}) == [{**ONE, field: read}]


def test_entries_without_a_statement_are_counted() -> None:
    found = read_part(answer({"requirements": [ONE, {"type": "functional"}, {"statement": "  "}, "text", 7]}))
    assert (len(found.requirements), found.dropped) == (1, 2)


def test_what_is_too_much_is_cut_and_said() -> None:
    many = [{**ONE, "statement": f"s{n}", "test_points": [str(k) for k in range(99)]} for n in range(999)]
    found = read_part(answer({"requirements": many}))
    assert (len(found.requirements), found.is_cut) == (MAX_OF_PART, True)
    assert len(found.requirements[0].test_points) == MAX_ITEMS


def test_no_requirements_is_an_answer() -> None:
    found = read_part(answer({"requirements": [], "open_questions": ["to whom is it?"]}))
    assert (found.requirements, found.open_questions) == ([], ["to whom is it?"])


@pytest.mark.parametrize(
    "text", ["", "I cannot.", "{}", '{"items": []}', '{"requirements": null}', "[]", '{"requirements']
)
def test_an_answer_without_the_list_is_asked_for_again(text: str) -> None:
    with pytest.raises(LLMBadOutput) as error:
        read_part(answer(text))
    assert '{"requirements": []}' in error.value.for_model


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_of_an_answer_that_was_cut_the_whole_entries_are_read(share: float) -> None:
    many = [{**ONE, "statement": f"statement {n}"} for n in range(20)]
    text = json.dumps({"requirements": many})
    found = read_part(answer(text[: int(len(text) * share)], truncated=True))
    assert found.is_cut
    assert [one.statement for one in found.requirements] == [
        f"statement {n}" for n in range(len(found.requirements))
    ]
    assert abs(len(found.requirements) - 20 * share) <= 1


def test_pairs_are_read_once_and_among_known_numbers() -> None:
    given = [
        {"first": 2, "second": "1", "reason": "other numbers"},
        {"first": "R1-3fa9c1", "second": "R2", "reason": "the same pair"},
        {"first": 1, "second": 1, "reason": "itself"},
        {"first": 1, "second": 99, "reason": "invented"},
        {"first": 1, "second": 3},
        {"first": None, "second": {"n": 3}, "reason": "x"},
        "1 and 3",
    ]
    found = read_comparison(answer({"contradictions": given}), [1, 2, 3])
    assert [(one.first, one.second, one.reason) for one in found.contradictions] == [(1, 2, "other numbers")]


def test_each_type_has_its_words() -> None:
    given = [{**ONE, "type": each.value} for each in RequirementType]
    assert [one["type"] for one in entries(*given)] == list(RequirementType)
