"""The validator as a whole: empty files, order of findings, bound on time."""

from __future__ import annotations

import pytest

from gencode.codegen.plan import PlannedFile
from gencode.codegen.validation import validator
from gencode.codegen.validation.findings import Rule
from gencode.codegen.validation.validator import check
from tests.unit.codegen.validation.projects import found, plan

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
    findings = check(files, plan())
    assert findings == check(dict(reversed(files.items())), plan())
    assert [(finding.path, finding.line) for finding in findings] == [
        ("a.js", 1),
        ("a.js", 2),
        ("b.py", 1),
        ("c.json", 0),
    ]


def test_files_beyond_the_time_limit_count_as_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.py": "from b import x\n", "b.py": "def f(:\n"}
    assert found(files) == [("b.py", 1, Rule.SYNTAX)]
    monkeypatch.setattr(validator, "MAX_CPU_SECONDS", -1.0)
    assert found(files) == []
