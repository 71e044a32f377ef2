"""Row 23 of the fault table and similar cases: a plan within any answer."""

from __future__ import annotations

import json

import pytest

from gencode.codegen.plan_parser import parse_plan
from gencode.domain.errors import UnsafePath, UnsafeTree
from gencode.llm.errors import LLMBadOutput

PLAN = {"summary": "s", "files": [{"path": "a.py", "purpose": "p", "exports": ["f"], "needs": []}]}
TEXT = json.dumps(PLAN)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Here is the plan you asked for {{as JSON}}:\n\n{TEXT}\n\nTell me if it suits you.",
        f'{{"thought": "hm"}}\n{TEXT}',
        json.dumps(PLAN | {"more": {"x": 1}}, indent=2),
    ],
)
def test_a_plan_is_found(answer: str) -> None:
    plan = parse_plan(answer)
    assert [file.path for file in plan.files] == ["a.py"]
    assert plan.files[0].exports == ("f",)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   \n\t ",
        "I am sorry, I cannot do that.",
        TEXT[:-2],
        "[" + TEXT[TEXT.index("[") + 1 : -1],
        '{"files": []}',
        '{"files": NaN}',
        '{"files": [{"path": NaN}]}',
        '{"files": {"path": "a.py"}}',
        '{"files": ["a.py"]}',
        '{"files": [{"purpose": "no path"}]}',
        '{"files": [{"path": ""}]}',
        "{" * 100_000,
        '{"a":' * 20_000,
        "[" * 100_000,
        json.dumps([{"path": f"f{n}.py"} for n in range(5000)]),
    ],
)
def test_an_answer_without_a_plan_is_transient(answer: str) -> None:
    with pytest.raises(LLMBadOutput) as caught:
        parse_plan(answer)
    assert len(caught.value.message) < 500


def test_unsafe_and_clashing_names_are_permanent() -> None:
    with pytest.raises(UnsafePath):
        parse_plan('{"files": [{"path": "../../etc/passwd"}]}')
    with pytest.raises(UnsafeTree):
        parse_plan('{"files": [{"path": "a.py"}, {"path": "A.py"}]}')
    with pytest.raises(UnsafeTree):
        parse_plan('{"files": [{"path": "a"}, {"path": "a/b"}]}')


def test_too_many_files_are_refused_before_they_are_validated() -> None:
    with pytest.raises(UnsafeTree, match="more than 2000"):
        parse_plan(json.dumps({"files": [None] * 3000}))


def test_a_file_planned_twice_is_one_file() -> None:
    plan = parse_plan('{"files": [{"path": "a.py"}, {"path": "b.py"}, {"path": "a.py", "purpose": "2"}]}')
    assert [(file.path, file.purpose) for file in plan.files] == [("a.py", "2"), ("b.py", "")]


def test_workflows_need_the_setting() -> None:
    answer = '{"files": [{"path": ".github/workflows/ci.yml"}]}'
    with pytest.raises(UnsafePath, match="ALLOW_WORKFLOWS"):
        parse_plan(answer)
    assert parse_plan(answer, workflows=True).files[0].path == ".github/workflows/ci.yml"
