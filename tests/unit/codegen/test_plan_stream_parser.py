"""Plan entries as they stream in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.codegen import plan_stream_parser
from gencode.codegen.plan_parser import parse_plan
from gencode.codegen.plan_stream_parser import MAX_ENTRY, PlanStreamParser
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


def test_entries_are_read_and_left_out_as_in_the_complete_plan() -> None:
    files = [{"file": "./src/a.py", "lines": "~20"}, {"path": "logo.png"}, {"path": "src/"}, {"path": "b.py"}]
    text = json.dumps({"files": [*files, {"path": ".github/workflows/ci.yml"}, {"path": "c\\d.py"}]})
    parser = PlanStreamParser()
    found = [entry for character in text for entry in parser.feed(character)]
    assert tuple(found) == parse_plan(text).files


@pytest.mark.parametrize("entry", ['{"path": "/abs"}', '{"purpose": "no path"}', '"b.py"', "{'path': 'b.py'"])
def test_entries_after_one_that_cannot_be_read_are_left_to_parse_plan(entry: str) -> None:
    parser = PlanStreamParser()
    parser.feed('{"files": [{"path": "a.py"}')
    assert not parser.feed(f', {entry}, {{"path": "c.py"}}]}}')
    assert list(parser.files) == ["a.py"]


@pytest.mark.parametrize(
    "unit", ['{"purpose": "}', "}", '{"path": "a', "{", "\\", '{"path": "a"},', " ", '"files":']
)
def test_a_hostile_plan_is_read_once_and_not_kept(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    read = plan_stream_parser.read_value

    def counted(text: str, start: int) -> tuple[Any, int]:
        decoded.append(len(text) - start)
        return read(text, start)

    monkeypatch.setattr(plan_stream_parser, "read_value", counted)
    parser, length = PlanStreamParser(), 0
    for part in ['{"files": [', *[unit] * 20_000]:
        parser.feed(part)
        length += len(part)
        assert len(parser._text) <= MAX_ENTRY
    assert sum(decoded) <= length
