"""The exports that a plan lists for a file must be defined in it."""

from __future__ import annotations

import pytest

from gencode.codegen.plan import PlannedFile
from gencode.codegen.validation.findings import Rule
from gencode.codegen.validation.planned_exports import exported_name
from tests.unit.codegen.validation.projects import found

NAMES = {
    "create_app": "create_app",
    "create_app()": "create_app",
    "create_app(config) -> Flask": "create_app",
    "class User": "User",
    "User class": "User",
    "User (model)": "User",
    "User.save()": "save",
    "type Note struct": "Note",
    "func NewStore": "NewStore",
    "app: Flask": "app",
    "app = Flask(__name__)": "app",
    "const MAX = 3": "MAX",
    "Store::open": "open",
    "useNotes hook": "useNotes",
    "GET /notes": "",
    "/api/notes": "",
    "default export": "",
    "default": "",
    "routes": "routes",
    ".btn-primary": "",
    "--primary-color": "",
    "the main entry point": "",
    "登录路由": "",
    "": "",
}
FILES = {
    "a.py": "from x import Imported\n\nclass User:\n    name: str\n\n    def save(self):\n"
    "        self.done = True\n\nA, B = 1, 2\n",
    "a.ts": "export class Store { add(x: string) { return x } }\n"
    "export default function App() { return 1 }\nconst inner = { list() {} }\n",
    "a.go": "package a\n\ntype Note struct{ ID int }\n\nfunc (n *Note) Add() {}\n",
    "A.java": "class A { private int count; int total() { return count; } }\n",
    "a.rs": "pub struct A { pub id: u8 }\nimpl A { pub fn new() -> A { A { id: 1 } } }\n",
    "a.css": ".card { --gap: 1px }\n",
    "a.sql": "CREATE TABLE users (id int);\n",
}
DEFINED = {
    "a.py": ["User", "User.save", "name", "done", "A", "B", "Imported", "save()"],
    "a.ts": ["Store", "add", "App", "default", "list"],
    "a.go": ["Note", "Add", "(n *Note) Add", "ID"],
    "A.java": ["A", "count", "total"],
    "a.rs": ["A", "new", "id"],
    "a.css": [".card", "card", "--gap"],
    "a.sql": ["users", "anything"],
}


@pytest.mark.parametrize("description", NAMES)
def test_the_name_in_the_description_of_an_export(description: str) -> None:
    assert exported_name(description) == NAMES[description]


@pytest.mark.parametrize("path", FILES)
def test_exports_that_are_defined(path: str) -> None:
    files = {**FILES, "x.py": "Imported = 1\n"}
    assert found(files, PlannedFile(path=path, exports=tuple(DEFINED[path]))) == []


@pytest.mark.parametrize("path", [path for path in FILES if path not in ("a.sql",)])
def test_an_export_that_is_not_defined(path: str) -> None:
    files = {**FILES, "x.py": "Imported = 1\n"}
    planned = PlannedFile(path=path, exports=("create_app()", "GET /x"))
    assert found(files, planned) == [(path, 0, Rule.BROKEN_PROMISE)]


def test_a_use_is_not_a_definition() -> None:
    text = "def main():\n    return create_app() == 1\n"
    assert found({"a.py": text}, PlannedFile(path="a.py", exports=("create_app",))) == [
        ("a.py", 0, Rule.BROKEN_PROMISE)
    ]


def test_a_file_that_does_not_parse_has_one_finding() -> None:
    assert found({"a.py": "def f(:\n"}, PlannedFile(path="a.py", exports=("f",))) == [
        ("a.py", 1, Rule.SYNTAX)
    ]


def test_exports_of_tests_are_not_checked() -> None:
    planned = PlannedFile(path="tests/test_a.py", exports=("test_all",))
    assert found({"tests/test_a.py": "def test_b():\n    assert True\n"}, planned) == []
