"""Plan entries as they stream in."""

from __future__ import annotations

import json

import pytest

from gencode.codegen.plan_parser import parse_plan
from gencode.codegen.plan_stream_parser import PlanStreamParser
from gencode.domain.errors import UnsafePath, UnsafeTree

PLAN = {
    "summary": 'Uses "files": [1] and } in text',
    "files": [
        {"path": "a.py", "purpose": 'quotes " and { braces', "exports": ["f"], "needs": []},
        {"path": "目录/b.py", "purpose": "第二", "needs": ["a.py"]},
        {"path": "c.py"},
    ],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("size", [1, 3, 7, 10_000])
def test_each_entry_is_returned_once_with_its_last_character(indent: int | None, size: int) -> None:
    text = f"Here is the plan:\n```json\n{json.dumps(PLAN, ensure_ascii=False, indent=indent)}\n```\n"
    parser = PlanStreamParser()
    found = []
    for at in range(0, len(text), size):
        for entry in parser.feed(text[at : at + size]):
            received = text[: at + size]
            assert f'"path": "{entry.path}"' in received
            found.append(entry)
    assert tuple(found) == parse_plan(text).files


def test_an_entry_is_returned_before_the_next_one_starts() -> None:
    parser = PlanStreamParser()
    assert not parser.feed('{"files": [{"path": "a.py"')
    assert [entry.path for entry in parser.feed("}")] == ["a.py"]
    assert not parser.feed(", ")


@pytest.mark.parametrize(
    ("path", "error"), [("../x", UnsafePath), (".git/config", UnsafePath), ("A.py", UnsafeTree)]
)
def test_an_unsafe_entry_is_refused_at_once(path: str, error: type[Exception]) -> None:
    parser = PlanStreamParser()
    parser.feed('{"files": [{"path": "a.py"}')
    with pytest.raises(error):
        parser.feed(f', {{"path": "{path}"}}')


@pytest.mark.parametrize(
    "text", ["", "no plan", '{"files": "none"}', '{"files": [3, {"path": "a"}]}', "[" * 9000]
)
def test_an_answer_without_a_plan_has_no_entries(text: str) -> None:
    assert PlanStreamParser().feed(text) == []


def test_a_repeated_path_counts_once() -> None:
    parser = PlanStreamParser()
    assert len(parser.feed('{"files": [{"path": "a"}, {"path": "a", "purpose": "again"}]}')) == 1


@pytest.mark.parametrize("summary", [r"Reads C:\dir and \d+", r"half an emoji \ud83d", r"\u12"])
def test_a_malformed_summary_is_left_to_parse_plan(summary: str) -> None:
    """It raises a transient error; an exception here would fail the task as INTERNAL."""
    parser = PlanStreamParser()
    parser.feed(f'{{"summary": "{summary}", "files": [{{"path": "a.py"}}')
    plan = parser.plan()
    assert [file.path for file in plan.files] == ["a.py"]
    assert plan.summary in ("", "half an emoji ?")
