"""What is tested: functions that a patch changes, or that are named; and where their tests belong."""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from typing import NoReturn

import pytest

from gencode.codegen.project_checker import ProjectChecker
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.domain.errors import Invalid
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget
from gencode.llm.model_route import Failover
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.test_generation.api.request import TestGenerationRequest, check_request
from gencode.pipelines.test_generation.api.tests import _archive, _patch
from gencode.pipelines.test_generation.artifacts import Collected, Given, TargetGroup, Targets
from gencode.pipelines.test_generation.changes import changed_files
from gencode.pipelines.test_generation.collecting import Collecting
from gencode.pipelines.test_generation.errors import NothingToTest
from gencode.pipelines.test_generation.frameworks import (
    framework_of,
    is_generated,
    is_test_file,
    marked,
    module_name,
)
from gencode.pipelines.test_generation.frameworks import test_path as path_of_test
from gencode.pipelines.test_generation.prompts import messages
from gencode.pipelines.test_generation.results import (
    FileOutcome,
    TestFile,
    requirements_in,
    result_view,
)

OLD = """\
def area(w, h):
    return w + h


def half(x):
    return x / 2


class Shape:
    def name(self):
        return 1
"""
NEW = OLD.replace("w + h", "w * h")
PLACE = {"repository_id": "00000000-0000-4000-8000-000000000000", "base": "main", "head": "change"}
RUN = ModelRun(
    task_id="t",
    task_version=1,
    kind="k",
    principal="p",
    model="m",
    budget=Budget(),
    failover=Failover(),
    checkpoints={},
)


def patch(old: str, new: str, path: str = "shapes.py") -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    return "".join(lines)


@pytest.fixture
async def collecting() -> AsyncIterator[Collecting]:
    async with ProjectChecker() as checker:
        yield Collecting(TestCodeReader(checker), no_repository)


async def no_repository(*arguments: object) -> NoReturn:
    raise AssertionError(arguments)


async def emit(*updates: StageUpdate) -> None:
    """Nothing is stored."""


async def targets(collecting: Collecting, given: Given) -> Targets:
    work = await collecting(Collected(run=RUN, given=given), emit)
    assert work.targets
    return work.targets


async def test_changed_and_named_functions_are_found(collecting: Collecting) -> None:
    files = {"shapes.py": NEW, "other.py": "def half(a):\n    pass\n", "README.md": "# x\n"}
    given = Given(files=files, patch=patch(OLD, NEW), functions=["name", "other.py", "absent"])
    found = await targets(collecting, given)
    assert [(one.source, [f.name for f in one.functions]) for one in found.groups] == [
        ("shapes.py", ["area", "Shape.name"]),
        ("other.py", ["half"]),
    ]
    assert found.groups[0].before == OLD
    assert [(one.path, one.reason) for one in found.skipped] == [("absent", "no function has this name")]


@pytest.mark.parametrize(
    ("files", "given_patch", "reason"),
    [
        ({"a.py": "x"}, patch(OLD, NEW), "its text was not sent"),
        ({"shapes.py": OLD}, patch(OLD, NEW), "not the version after the patch"),
        ({"shapes.py": OLD + "X = 1\n"}, patch(OLD, OLD + "X = 1\n"), "no function in it is changed"),
        ({"a.sh": "ls\n"}, patch("", "ls\n", "a.sh"), "of this language are not written"),
        ({"tests/test_a.py": NEW}, patch(OLD, NEW, "tests/test_a.py"), "No function"),
    ],
)
async def test_what_cannot_be_tested_is_told(
    collecting: Collecting, files: dict[str, str], given_patch: str, reason: str
) -> None:
    with pytest.raises(NothingToTest, match=reason):
        await collecting(Collected(run=RUN, given=Given(files=files, patch=given_patch)), emit)


@pytest.mark.parametrize("text", ["x = 1\n", "def f(\n", "def f():\n    return " + "-" * 20_000 + "1\n"])
async def test_a_file_without_functions_is_told(collecting: Collecting, text: str) -> None:
    with pytest.raises(NothingToTest, match="no function was found in it"):
        await collecting(Collected(run=RUN, given=Given(files={"a.py": text}, functions=["a.py"])), emit)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", (2,)),
        ("a\nb\nc\n", "a\nc\n", (2,)),
        ("a\nb\n", "a\n", (2,)),
        ("", "a\nb\n", (1, 2)),
    ],
)
def test_changed_lines_and_the_version_before(old: str, new: str, lines: Sequence[int]) -> None:
    (found,) = changed_files(patch(old, new) or "", {"shapes.py": new}).values()
    assert (found.lines, found.reason) == (tuple(lines), "")
    assert (found.before or "") == old


def test_a_file_without_a_last_line_feed() -> None:
    end = "\\ No newline at end of file\n"
    text = f"--- a/shapes.py\n+++ b/shapes.py\n@@ -1 +1 @@\n-a\n{end}+b\n{end}"
    (found,) = changed_files(text, {"shapes.py": "b"}).values()
    assert (found.lines, found.before) == ((1,), "a")


@pytest.mark.parametrize(
    ("files", "language", "framework"),
    [
        ({}, "python", "pytest"),
        ({"tests/test_a.py": "import unittest\n"}, "python", "unittest"),
        ({"tests/test_a.py": "import unittest\n", "setup.cfg": "[tool:pytest]"}, "python", "pytest"),
        ({"conftest.py": "", "tests/test_a.py": "import unittest\n"}, "python", "pytest"),
        ({"package.json": '{"devDependencies": {"vitest": "1"}}'}, "javascript", "vitest"),
        ({"package.json": "{}"}, "javascript", "jest"),
        ({}, "go", "go test"),
    ],
)
def test_the_framework_is_the_projects(files: dict[str, str], language: str, framework: str) -> None:
    assert framework_of(files, language) == framework  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "files", "language", "path"),
    [
        ("app/shapes.py", {}, "python", "tests/test_shapes.py"),
        ("app/shapes.py", {"test/test_a.py": ""}, "python", "test/test_shapes.py"),
        ("app/__init__.py", {}, "python", "tests/test_app.py"),
        ("a.py", {"tests/test_a.py": "def test_own(): pass\n"}, "python", "tests/test_a_generated.py"),
        ("a.py", {"tests/test_a.py": marked("x = 1\n", "a.py")}, "python", "tests/test_a.py"),
        ("a.py", {"tests": "a file"}, "python", "test/test_a.py"),
        ("src/list.ts", {}, "javascript", "src/list.test.ts"),
        ("src/list.ts", {"src/__tests__/a.ts": ""}, "javascript", "src/__tests__/list.test.ts"),
        ("ring/ring.go", {"ring/ring_test.go": ""}, "go", "ring/ring_generated_test.go"),
    ],
)
def test_tests_are_written_where_they_belong(
    source: str, files: dict[str, str], language: str, path: str
) -> None:
    assert path_of_test(source, files, (), language) == path  # type: ignore[arg-type]
    assert is_test_file(path)
    assert path_of_test(source, files, (path,), language) != path  # type: ignore[arg-type]


def test_modules_are_named_as_tests_import_them() -> None:
    names = {"a.py": "a", "src/app/a.py": "app.a", "app/__init__.py": "app", "lib/x.py": "x"}
    assert {path: module_name(path, "python") for path in names} == names
    assert module_name("src/a.ts", "javascript") == "src/a.ts"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "functions"),
        ({"functions": ["f"], "files": [{"path": "../a.py", "text": ""}]}, "files"),
        (
            {"functions": ["f"], "files": [{"path": "a.py", "text": ""}, {"path": "a.py", "text": ""}]},
            "files",
        ),
        ({"functions": ["f"], "files": [{"path": "a", "text": ""}, {"path": "a/b", "text": ""}]}, "files"),
        ({"functions": ["f"], "requirements": [{"id": "R1"}, {"id": "R1"}]}, "requirements"),
        ({"patch": "no patch"}, "patch"),
        ({"functions": ["f"], "files": []}, "files"),
        ({"functions": ["f"], "base": "main"}, "repository_id"),
        ({**PLACE, "functions": ["f"]}, "files"),
        ({**PLACE, "files": [], "patch": "no patch"}, "files"),
    ],
)
def test_requests_that_break_a_rule(fields: dict[str, object], field: str) -> None:
    request = TestGenerationRequest.model_validate({"files": [{"path": "a.py", "text": ""}], **fields})
    with pytest.raises(Invalid) as refused:
        check_request(request)
    assert refused.value.problems[0]["field"] == field


def group(**fields: object) -> TargetGroup:
    given = {
        "source": "shapes.py",
        "language": "python",
        "framework": "pytest",
        "test_path": "tests/test_shapes.py",
        "module": "shapes",
        "functions": [{"name": "area", "first": 1, "last": 2}],
    }
    return TargetGroup.model_validate({**given, **fields})


def test_the_prompt_has_the_source_last_and_bounded() -> None:
    given = Given(
        files={"shapes.py": NEW + "# end\n" * 20_000, "tests/test_old.py": "style", "near.py": "N = 1"},
        requirements={"REQ-1": "The area is right"},
    )
    system, user = messages(group(), given)
    assert system.content.startswith("Task: test_generation\n")
    assert len(user.content) < 70_000
    for shown in (
        "REQ-1: The area is right",
        '<example path="tests/test_old.py">',
        '<neighbour path="near.py">',
    ):
        assert user.content.index(shown) < user.content.index('<source path="shapes.py">')
    assert "return w * h" in user.content


def test_requirements_are_found_in_names_and_docstrings() -> None:
    ids = ["REQ-1", "REQ-12", "A.b"]
    assert requirements_in("test_req_12_area", ids) == ["REQ-12"]
    assert requirements_in("test_x\nCovers REQ-1 and A.b.", ids) == ["REQ-1", "A.b"]
    assert requirements_in("test_prereq_1x", ids) == []


def test_gaps_are_what_no_test_names() -> None:
    two = group(functions=[{"name": "area", "first": 1, "last": 2}, {"name": "half", "first": 5, "last": 6}])
    file = file_of("from shapes import area, half\n\n\ndef test_a():\n    assert area(1, 2) == 2\n")
    view = result_view([FileOutcome(file=file)], [two], (), {"R1": "", "R2": ""}, "")
    assert (view.gaps.functions, view.gaps.requirements) == (["shapes.py:half"], ["R2"])
    assert view.verification == "verified"


def file_of(text: str, path: str = "tests/test_shapes.py") -> TestFile:
    return TestFile.model_validate(
        {
            "path": path,
            "source": "shapes.py",
            "framework": "pytest",
            "functions": ["area"],
            "text": marked(text, path),
            "verification": "verified",
            "reason": "",
            "tests": [{"name": "test_a", "requirements": ["R1"]}],
        }
    )


def test_patches_make_new_files_and_change_generated_ones() -> None:
    files = [file_of("a = 1\n"), file_of("b = 2\n", "my tests/test_b.py")]
    view = result_view([FileOutcome(file=file) for file in files], [], (), {}, "")
    made = _patch({"tests/test_shapes.py": marked("a = 0\n", "a.py")}, view).decode()
    assert "--- a/tests/test_shapes.py\n+++ b/tests/test_shapes.py\n" in made
    assert "-a = 0\n+a = 1\n" in made
    assert "new file mode 100644\n--- /dev/null\n+++ b/my tests/test_b.py\t\n" in made
    with zipfile.ZipFile(BytesIO(_archive(view))) as archive:
        assert archive.namelist() == ["tests/test_shapes.py", "my tests/test_b.py"]
        assert is_generated(archive.read("tests/test_shapes.py").decode())
