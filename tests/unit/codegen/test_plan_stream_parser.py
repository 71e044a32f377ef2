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
def test_each_entry_comes_once_with_its_last_character(indent: int | None, size: int) -> None:
    text = f"Here is the plan:\n```json\n{json.dumps(PLAN, ensure_ascii=False, indent=indent)}\n```\n"
    reader = PlanStreamParser()
    found = []
    for at in range(0, len(text), size):
        for entry in reader.feed(text[at : at + size]):
            said = text[: at + size]
            assert f'"path": "{entry.path}"' in said
            found.append(entry)
    assert tuple(found) == parse_plan(text).files


def test_an_entry_is_known_before_the_next_one_is_said() -> None:
    reader = PlanStreamParser()
    assert not reader.feed('{"files": [{"path": "a.py"')
    assert [entry.path for entry in reader.feed("}")] == ["a.py"]
    assert not reader.feed(", ")


@pytest.mark.parametrize(
    ("path", "error"), [("../x", UnsafePath), (".git/config", UnsafePath), ("A.py", UnsafeTree)]
)
def test_a_hostile_entry_is_refused_as_it_comes(path: str, error: type[Exception]) -> None:
    reader = PlanStreamParser()
    reader.feed('{"files": [{"path": "a.py"}')
    with pytest.raises(error):
        reader.feed(f', {{"path": "{path}"}}')


@pytest.mark.parametrize(
    "text", ["", "no plan", '{"files": "none"}', '{"files": [3, {"path": "a"}]}', "[" * 9000]
)
def test_what_is_no_plan_gives_nothing(text: str) -> None:
    assert PlanStreamParser().feed(text) == []


def test_a_path_that_comes_twice_counts_once() -> None:
    reader = PlanStreamParser()
    assert len(reader.feed('{"files": [{"path": "a"}, {"path": "a", "purpose": "again"}]}')) == 1


@pytest.mark.parametrize("summary", [r"Reads C:\dir and \d+", r"half an emoji \ud83d", r"\u12"])
def test_a_summary_that_is_no_json_is_left_to_the_parser_of_the_whole(summary: str) -> None:
    """Which asks again; here it would end the task as a bug of ours."""
    reader = PlanStreamParser()
    reader.feed(f'{{"summary": "{summary}", "files": [{{"path": "a.py"}}')
    plan = reader.plan()
    assert [file.path for file in plan.files] == ["a.py"]
    assert plan.summary in ("", "half an emoji ?")
