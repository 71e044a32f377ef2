from __future__ import annotations

import json

import pytest

from gencode.diffs import Side
from gencode.llm.session import Answer
from gencode.pipelines.code_review.answers import parse_review
from gencode.pipelines.code_review.placing import place_evidence
from gencode.pipelines.code_review.prompts import ReviewInstructions, review_request
from gencode.pipelines.code_review.requirements import (
    MAX_REQUIREMENTS,
    MAX_SHOWN,
    Evidence,
    Met,
    RequiredText,
    fitting,
    traced,
)
from tests.unit.pipelines.code_review.reviews import claim, reviewed

NEW = "def f():\n    return limit(1)\n"


def evidence(requirement: str, status: Met, line: int = 1) -> Evidence:
    return Evidence(
        requirement=requirement, status=status, path="a.py", side=Side.NEW, line=line, anchor="", quote=""
    )


def texts(*names: str) -> list[RequiredText]:
    return [RequiredText(id=name, statement=f"It does {name}.") for name in names]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Met.NOT_TOUCHED),
        ([Met.NOT_TOUCHED], Met.NOT_TOUCHED),
        ([Met.MISSING], Met.MISSING),
        ([Met.MISSING, Met.PARTLY], Met.PARTLY),
        ([Met.MISSING, Met.MET, Met.PARTLY], Met.MET),
    ],
)
def test_what_is_proven_best_counts(statuses: list[Met], expected: Met) -> None:
    (one,) = traced(texts("R1"), [evidence("R1", status) for status in statuses])
    assert one.status is expected
    assert [shown.status for shown in one.evidence[:1]] == ([expected] if expected != Met.NOT_TOUCHED else [])


def test_every_requirement_is_told_and_unknown_ones_are_not() -> None:
    found = traced(texts("R1", "R2"), [evidence("R2", Met.MET), evidence("R9", Met.MET)])
    assert [(one.id, one.status) for one in found] == [("R1", Met.NOT_TOUCHED), ("R2", Met.MET)]


def said(**fields: object) -> dict[str, object]:
    shown = claim(reviewed("a.py", "", NEW), 2)
    return {
        "id": "R1",
        "status": "met",
        "path": "a.py",
        "anchor": shown.anchor,
        "quote": shown.quote,
        **fields,
    }


def read(*entries: dict[str, object]) -> list[Evidence | None]:
    text = json.dumps({"findings": [], "requirements": entries})
    told = parse_review(Answer(text=text, truncated=False), 1000).requirements
    assert told is not None
    return [place_evidence(one, [reviewed("a.py", "", NEW)]) for one in told]


def test_evidence_is_a_proven_line_or_none() -> None:
    (placed,) = read(said(note="It is limited."))
    assert placed is not None
    assert (placed.requirement, placed.status, placed.line, placed.note) == (
        "R1",
        Met.MET,
        2,
        "It is limited.",
    )
    assert read(said(anchor="2#0000")) == read(said(path="b.py")) == [None]


def test_entries_without_a_known_status_or_an_id_say_nothing() -> None:
    assert read(said(status="maybe"), said(id=None), {}) == []
    assert [one and one.status for one in read(said(status="Partially"), said(status="not met"))] == [
        Met.PARTLY,
        Met.MISSING,
    ]


def test_an_answer_without_requirements_is_not_one_that_finds_them_untouched() -> None:
    assert parse_review(Answer(text='{"findings": []}', truncated=False), 1000).requirements is None
    empty = parse_review(Answer(text='{"findings": [], "requirements": []}', truncated=False), 1000)
    assert empty.requirements == ()


def test_the_prompt_has_as_many_requirements_as_fit_and_none_without() -> None:
    long = [RequiredText(id=f"R{n}", statement="x" * 1000, criteria=("y" * 100,)) for n in range(100)]
    kept = fitting(long)
    assert kept == long[: len(kept)]
    assert 20 < len(kept) < 100
    assert len("\n".join(one.shown for one in kept)) <= MAX_SHOWN
    assert len(fitting(texts(*map(str, range(MAX_REQUIREMENTS + 5))))) == MAX_REQUIREMENTS
    asked = review_request("", 0, 1, ReviewInstructions(language="en", requirements=texts("R7")), 100)
    assert "R7: It does R7." in asked.messages[1].content
    plain = review_request("", 0, 1, ReviewInstructions(language="en"), 100)
    assert not any("requirements" in message.content for message in plain.messages)
