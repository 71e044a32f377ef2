"""Each rule both ways: what it must find, and what it must leave alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gencode.codegen.plan import Plan
from gencode.codegen.validation.analyzer import signatures
from gencode.codegen.validation.findings import Rule
from gencode.embedded.offline.template_project import TemplateProject
from tests.unit.codegen.validation.projects import check_plan


def a_plan(files: Mapping[str, str], **exports: list[str]) -> Plan:
    entries = [{"path": path, "exports": exports.get(path.partition(".")[0], [])} for path in files]
    return Plan.model_validate({"summary": "", "files": entries})


def found(files: Mapping[str, str], **exports: list[str]) -> list[tuple[str, int, Rule]]:
    return [(f.path, f.line, f.rule) for f in check_plan(files, a_plan(files, **exports))]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", "x = 1\ndef f(:\n", 2),
        ("a.json", '{"a": 1,}\n', 1),
        ("a.yaml", "a: [1\n", 2),
        ("a.toml", "a = \n", 1),
        ("a.go", "package main\n\nfunc main( {\n", 3),
        ("a.js", "const x = {;\n", 1),
        ("a.ts", "const x: = 1;\n", 1),
        ("A.java", "class A { void f( {} }\n", 1),
        ("a.rs", "fn main( {}\n", 1),
        ("a.c", "int main( {\n", 1),
    ],
)
def test_a_syntax_error_is_reported_with_its_line(path: str, text: str, line: int) -> None:
    assert found({path: text}) == [(path, line, Rule.SYNTAX)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "async def f(x: int | None) -> None:\n    match x:\n        case 1:\n            return\n"),
        ("tsconfig.json", '{\n  // comment\n  "compilerOptions": {}\n}\n'),
        ("a.yaml", "a: !Ref b\n---\nb: 2\n"),
        ("templates/a.html", "{% for x in y %}<li>{{ x }}</li>{% endfor %}\n"),
        ("a.go", "package main\n\nfunc main() {}\n"),
        ("a.tsx", "export const A = () => <p>hi</p>;\n"),
        ("a.rs", 'fn main() { println!("hi"); }\n'),
        ("notes.txt", "def f(:\n"),
    ],
)
def test_a_valid_file_has_no_findings(path: str, text: str) -> None:
    assert found({path: text}) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = 1\n# ... rest of the code unchanged\n"),
        ("a.py", "def f() -> int:\n    raise NotImplementedError\n"),
        ("a.py", "def f() -> int:\n    # TODO: implement\n    pass\n"),
        ("a.js", "function f() {\n  // your code here\n}\n"),
        ("a.go", 'package a\n\nfunc F() {\n\tpanic("not implemented")\n}\n'),
        ("a.rs", "fn f() -> i32 {\n    todo!()\n}\n"),
        ("a.py", "x = 1\n# 其余代码不变\n"),
    ],
)
def test_placeholders_are_reported(path: str, text: str) -> None:
    assert {rule for _, _, rule in found({path: text})} == {Rule.PLACEHOLDER}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "class Quiet(Exception):\n    pass\n"),
        ("a.py", "from typing import Protocol\n\n\nclass P(Protocol):\n    def f(self) -> int: ...\n"),
        ("a.py", "try:\n    x = 1\nexcept ValueError:\n    pass\n"),
        ("a.py", 'TODO = "a TODO app"\nprint("TODO: buy milk")\n'),
        ("README.md", "# TODO app\n\nAnd so on ... the rest is yours.\n"),
    ],
)
def test_what_only_looks_like_a_placeholder_is_valid(path: str, text: str) -> None:
    assert found({path: text}) == []


def test_imports_must_resolve() -> None:
    files = {
        "app.py": "import os\nimport helper\nimport nowhere_at_all\nfrom helper import there, missing\n",
        "helper.py": "def there() -> None:\n    print()\n",
    }
    assert found(files) == [("app.py", 3, Rule.UNDECLARED), ("app.py", 4, Rule.MISSING_NAME)]


def test_declared_dependencies_resolve_under_their_import_names() -> None:
    files = {
        "app.py": "import yaml\nfrom PIL import Image\nimport flask\n\nprint(yaml, Image, flask)\n",
        "requirements.txt": "PyYAML>=6\npillow\nFlask==3.0\n",
    }
    assert found(files) == []


def test_javascript_imports_must_resolve() -> None:
    files = {
        "src/app.js": "import { store } from './store.js';\n"
        "import x from './gone.js';\nimport e from 'express';\n",
        "src/store.js": "export const store = 1;\n",
        "package.json": json.dumps({"type": "module", "dependencies": {}}),
    }
    expected = [("package.json", 0, Rule.UNDECLARED), ("src/app.js", 2, Rule.UNRESOLVED)]
    assert found(files) == expected  # the manifest is the file to repair


def test_go_imports_must_resolve() -> None:
    main = 'package main\n\nimport (\n\t"fmt"\n\t"m/gone"\n)\n\nfunc main() { fmt.Println(gone.X) }\n'
    assert found({"go.mod": "module m\n\ngo 1.21\n", "main.go": main}) == [("main.go", 5, Rule.UNRESOLVED)]


def test_planned_exports_must_be_defined() -> None:
    files = {"a.py": "class User:\n    name = 1\n"}
    assert found(files, a=["User", "create_app()"]) == [("a.py", 0, Rule.BROKEN_PROMISE)]
    assert found(files, a=["User", "GET /users", "class User"]) == []


def test_a_file_must_not_be_empty_without_a_reason() -> None:
    assert found({"a.py": ""}) == [("a.py", 0, Rule.EMPTY)]
    assert found({"pkg/__init__.py": "", "py.typed": ""}) == []


@pytest.mark.parametrize(
    "request_text",
    [
        "Flask app",
        "Flask app with login",
        "FastAPI",
        "Express app",
        "Go service",
        "a CLI",
        "static page",
        "静态网页",
    ],
)
def test_the_projects_of_the_offline_model_are_valid(request_text: str) -> None:
    project = TemplateProject.from_request(request_text)
    plan = Plan.model_validate_json(project.plan())
    assert check_plan({file.path: project.file(file.path) for file in plan.files}, plan) == ()


@pytest.mark.parametrize("text", ["(" * 5000, "x" * 2_000_000, "[" * 100_000, "\0\ufffd" * 100, '"' * 9999])
@pytest.mark.parametrize("path", ["a.py", "a.js", "a.go", "a.json", "a.yaml", "a.toml", "a.html", "a.c"])
def test_hostile_text_gives_findings_and_never_an_exception(path: str, text: str) -> None:
    check_plan({path: text}, a_plan({path: text}))


def test_signatures_are_one_line_each() -> None:
    text = "def found(key: str,\n          default: int = 0) -> int:\n    return default\n"
    assert signatures("a.py", text) == ("def found(key: str, default: int = 0) -> int",)
