"""Row 23 of the fault table and similar cases: a plan within any answer, its hints read leniently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gencode.codegen.plan import LeftOut, Plan, PlannedFile
from gencode.codegen.plan_decoder import MAX_PLAN_TEXT
from gencode.codegen.plan_parser import MAX_ANSWER, parse_plan
from gencode.domain.errors import UnsafePath, UnsafeTree
from gencode.llm.errors import LLMBadOutput, LLMTooLarge

PLAN = {"summary": "s", "files": [{"path": "a.py", "purpose": "p", "exports": ["f"], "needs": []}]}
TEXT = json.dumps(PLAN)


def plan_of(*entries: Any) -> Plan:
    return parse_plan(json.dumps({"files": entries}))


def paths(plan: Plan) -> list[str]:
    return [file.path for file in plan.files]


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Here is the plan you asked for {{as JSON}}:\n\n{TEXT}\n\nTell me if it suits you.",
        f'{{"thought": "hm"}}\n{TEXT}',
        json.dumps(PLAN | {"more": {"x": 1}}, indent=2),
        json.dumps({"plan": PLAN}),
        json.dumps(PLAN["files"]),
        TEXT.replace('"p"', '"first\nsecond"'),
        TEXT.replace('"p"', '"the "main" file"'),
        TEXT.replace('"p"', r'"reads \d+ and C:\dir"'),
        TEXT.replace("]}", ",],}"),
        TEXT.replace('"p", ', '"p" // what it is for\n'),
        f"/* a plan */ {TEXT.replace('[{', '[ # one file' + chr(10) + '{')}",
        TEXT.replace('"', "'"),
        "{“files”: [{“path”: “a.py”, “exports”: [“f”]}]}",
        "{files: [{path: a.py, exports: [f], needs: None}]}",
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
        TEXT[:-2].replace('"', "'"),
        '{"files": []}',
        '{"files": null}',
        '{"files": 3}',
        '{"files": NaN}',
        '{"files": [{"path": NaN}]}',
        '{"files": [{"purpose": "no path"}]}',
        '{"files": [{"path": ""}]}',
        '{"files": [null]}',
        '{"files": [["a.py"]]}',
        '{"files": ["src/", "logo.png"]}',
        "{" * 100_000,
        '{"a":' * 20_000,
        '{"files":' * 20_000,
        "[" * 100_000,
        '{"files": ["a.py"],' + '"x": [' * 5000,
    ],
)
def test_an_answer_without_a_plan_is_transient(answer: str) -> None:
    with pytest.raises(LLMBadOutput) as caught:
        parse_plan(answer)
    assert len(caught.value.message) < 500


def test_unsafe_and_clashing_names_are_permanent() -> None:
    for path in (
        "../../etc/passwd",
        "src/../../x",
        ".git/config",
        "./.git/hooks/x",
        "..\\x",
        "../x.png",
        "../src/",
    ):
        with pytest.raises(UnsafePath):
            plan_of({"path": path})
    with pytest.raises(UnsafeTree):
        plan_of("a.py", "A.py")
    with pytest.raises(UnsafeTree):
        plan_of("a", "a/b")


@pytest.mark.parametrize("path", ["/app.py", "//a", "C:\\app.py", "c:/app.py", "~/app.py", "file:///app.py"])
def test_an_absolute_path_is_asked_again_with_the_reason(path: str) -> None:
    with pytest.raises(LLMBadOutput, match="relative") as caught:
        plan_of("a.py", path)
    assert "relative to the project's root" in caught.value.for_model


@pytest.mark.parametrize(
    "path", ["./src/app.py", "src\\app.py", "src//app.py", " src/./app.py ", "`src/app.py`", "././src/app.py"]
)
def test_a_path_is_written_in_the_one_form(path: str) -> None:
    assert plan_of(path, {"path": "b.py", "needs": [path]}).files == (
        PlannedFile(path="src/app.py"),
        PlannedFile(path="b.py", needs=("src/app.py",)),
    )


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, ()),
        ("main", ("main",)),
        ("f, g", ("f", "g")),
        ([], ()),
        (["f", {"name": "g", "type": "function"}, {"symbol": "h"}, None, 3, ""], ("f", "g", "h")),
        ({"f": "a function", "g": None}, ("f", "g")),
        (True, ()),
        ("x" * 10_000, ()),
    ],
)
def test_exports_are_hints(given: Any, read: tuple[str, ...]) -> None:
    assert plan_of({"path": "a.py", "exports": given}).files[0].exports == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, ()),
        ("b.py", ("b.py",)),
        ([{"path": "./b.py", "why": "x"}, "/etc/passwd", {}], ("b.py",)),
        ([["b.py"]], ("b.py",)),
    ],
)
def test_needs_are_hints(given: Any, read: tuple[str, ...]) -> None:
    assert plan_of({"path": "a.py", "needs": given}).files[0].needs == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("~20", 20),
        ("20-30 lines", 30),
        ("many", 0),
        (None, 0),
        (True, 0),
        (-3, 0),
        (12.7, 12),
        (10**30, 10**6),
        ([40], 0),
    ],
)
def test_lines_are_a_hint(given: Any, read: int) -> None:
    assert plan_of({"path": "a.py", "lines": given}).files[0].lines == read


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, ""), (3, ""), (["a", "b"], "a; b"), ({"x": 1}, ""), ("x" * 9000, "x" * 2000), ("\ud83d", "�")],
)
def test_a_purpose_is_a_hint(given: Any, read: str) -> None:
    assert plan_of({"path": "a.py", "purpose": given}).files[0].purpose == read


@pytest.mark.parametrize("name", ["path", "file", "filename", "filePath".lower(), "file_path", "name"])
def test_a_path_has_other_names(name: str) -> None:
    assert paths(plan_of({name: "a.py", "description": "d"})) == ["a.py"]


def test_files_may_be_an_object_by_path() -> None:
    plan = parse_plan('{"files": {"a.py": {"purpose": "p"}, "b.py": "q", "c.py": null}}')
    assert [(file.path, file.purpose) for file in plan.files] == [("a.py", "p"), ("b.py", "q"), ("c.py", "")]


def test_what_cannot_be_written_is_left_out_and_its_users_are_named() -> None:
    plan = plan_of(
        "src/", {"path": "img/logo.PNG"}, {"path": "a.py", "needs": ["img/logo.PNG", "b.py"]}, "b.py"
    )
    assert paths(plan) == ["a.py", "b.py"]
    assert plan.files[0].needs == ("b.py",)
    assert plan.left_out == (
        LeftOut(path="src/", reason="directory"),
        LeftOut(path="img/logo.PNG", reason="binary", needed_by=("a.py",)),
    )


@pytest.mark.parametrize("path", ["icon.svg", "data.csv", "png", ".png", "a.ts", "m.obj", "Makefile"])
def test_text_is_no_binary_file(path: str) -> None:
    assert paths(plan_of(path)) == [path]


def test_workflows_need_the_setting() -> None:
    answer = '{"files": [".github/workflows/ci.yml", ".GitHub/Workflows/b.yml", "a.py"]}'
    plan = parse_plan(answer)
    assert paths(plan) == ["a.py"]
    assert [entry.reason for entry in plan.left_out] == ["workflow", "workflow"]
    only = '{"files": [".github/workflows/ci.yml", "a.py"]}'
    assert paths(parse_plan(only, workflows=True)) == [".github/workflows/ci.yml", "a.py"]


def test_files_that_git_reads_are_left_out() -> None:
    plan = plan_of(
        ".gitattributes", "sub/.GitModules", ".mailmap", ".gitpod.yml", ".git-blame-ignore-revs", "a.py"
    )
    assert paths(plan) == [".gitpod.yml", ".git-blame-ignore-revs", "a.py"]
    assert [(entry.path, entry.reason) for entry in plan.left_out] == [
        (".gitattributes", "git"),
        ("sub/.GitModules", "git"),
        (".mailmap", "git"),
    ]


@pytest.mark.parametrize(
    "path", ["../.gitattributes", ".git/.gitattributes", "a/../.gitmodules", "con/.mailmap"]
)
def test_a_file_that_git_reads_in_a_dangerous_place_is_refused(path: str) -> None:
    with pytest.raises(UnsafePath):
        plan_of(path, "a.py")


def test_a_decomposed_path_is_composed() -> None:
    assert paths(plan_of("cafe\u0301/x.py")) == ["caf\u00e9/x.py"]


def test_too_many_files_are_refused_before_they_are_validated() -> None:
    with pytest.raises(UnsafeTree, match="more than 2000"):
        parse_plan(json.dumps({"files": [None] * 3000}))
    with pytest.raises(UnsafeTree, match="more than 2000"):
        parse_plan(json.dumps([{"path": f"f{n}.py"} for n in range(5000)]))


def test_the_hints_of_a_plan_are_bounded_together() -> None:
    entry = {"purpose": "x" * 1000, "exports": ["y" * 100] * 3, "needs": [f"n{n}" * 20 for n in range(20)]}
    plan = plan_of(*({"path": f"f{n}.py", **entry} for n in range(300)))
    assert len(plan.files) == 300
    assert len(plan.model_dump_json()) < 2 * MAX_PLAN_TEXT


def test_a_longer_answer_is_refused() -> None:
    with pytest.raises(LLMTooLarge):
        parse_plan(TEXT + " " * MAX_ANSWER)


def test_a_file_planned_twice_is_one_file() -> None:
    plan = parse_plan('{"files": [{"path": "a.py"}, {"path": "b.py"}, {"path": "a.py", "purpose": "2"}]}')
    assert [(file.path, file.purpose) for file in plan.files] == [("a.py", "2"), ("b.py", "")]
