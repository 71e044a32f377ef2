"""The validator as a whole: empty files, order of findings, bound on time."""

from __future__ import annotations

import pytest

from gencode.codegen.plan import PlannedFile
from gencode.codegen.validation.findings import Rule
from gencode.codegen.validation.validator import MAX_FINDINGS, MAX_FINDINGS_OF_FILE, check
from tests.unit.codegen.validation.projects import check_plan, found, plan

LEGITIMATELY_EMPTY = [
    *("pkg/__init__.py", "pkg/py.typed", ".gitkeep", "data/.keep", "conftest.py", "go.sum", ".nojekyll"),
    *(".dockerignore", "yarn.lock", "src/app/app.component.css", ".env.example"),
]


@pytest.mark.parametrize("path", LEGITIMATELY_EMPTY)
def test_files_that_are_legitimately_empty(path: str) -> None:
    assert found({path: "\n"}) == []


@pytest.mark.parametrize("path", ["main.py", "src/index.js", "README.md", "style.css", "Dockerfile"])
def test_an_empty_file_is_reported(path: str) -> None:
    assert found({path: " \n"}, PlannedFile(path=path, purpose="what the user sees")) == [
        (path, 0, Rule.EMPTY)
    ]


@pytest.mark.parametrize("purpose", ["Empty package marker", "left blank", "空文件", "占位"])
def test_a_plan_may_say_that_a_file_is_empty(purpose: str) -> None:
    assert found({"data.txt": ""}, PlannedFile(path="data.txt", purpose=purpose)) == []


def test_findings_are_sorted_by_path_line_and_rule_whatever_the_order_of_the_files() -> None:
    files = {"b.py": "def f(:\n", "a.js": "import x from './y';\nimport z from './w';\n", "c.json": ""}
    findings = check_plan(files, plan())
    assert findings == check_plan(dict(reversed(files.items())), plan())
    assert [(finding.path, finding.line) for finding in findings] == [
        ("a.js", 1),
        ("a.js", 2),
        ("b.py", 1),
        ("c.json", 0),
    ]


def test_a_file_that_cannot_be_parsed_has_a_finding_and_unknown_exports() -> None:
    files = {"a.py": "from b import x\n", "b.py": "x = 1\n"}
    steps: list[int] = []
    findings = check(files, {}, unreadable=["b.py"], progress=steps.append)
    assert [(found.path, found.rule) for found in findings] == [("b.py", Rule.SYNTAX)]
    assert steps == [0, 1, -1]


def test_each_file_has_a_bounded_number_of_findings() -> None:
    comment = "# ... rest of the code\n" * 1_000
    files = {f"m{number}.py": comment for number in range(120)}
    findings = check(files, {})
    assert len(findings) == MAX_FINDINGS
    assert sum(found.path == "m0.py" for found in findings) == MAX_FINDINGS_OF_FILE
