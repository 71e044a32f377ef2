"""Imports of Go files: packages of the module, names in them, what go.mod requires."""

from __future__ import annotations

import pytest

from gencode.codegen.validation.findings import Rule
from tests.unit.codegen.validation.projects import found

OWN = {
    "go.mod": "module example.org/x/notes\n\ngo 1.22\n\nrequire github.com/gin-gonic/gin v1.9.1\n\n"
    "require (\n\tgolang.org/x/crypto v0.1.0 // indirect\n)\n",
    "internal/store/store.go": "package store\n\ntype Note struct{ ID int }\n\n"
    "func New() *Note { return nil }\n\n"
    "func (n *Note) Add() {}\n\nconst Limit = 1\n\nvar A, B = 1, 2\n",
    "internal/odd/odd.go": "package other\n\nfunc F() {}\n",
}
GOOD = [
    'import (\n\t"fmt"\n\t"net/http"\n\t"example.org/x/notes/internal/store"\n)\n'
    "func main() { var n store.Note; n.Add(); fmt.Println(store.New(), store.Limit, store.A, "
    "store.B, http.Get) }",
    'import s "example.org/x/notes/internal/store"\nfunc main() { s.New() }',
    'import other "example.org/x/notes/internal/odd"\nfunc main() { other.F(); other.G() }',
    'import "github.com/gin-gonic/gin"\nfunc main() { gin.Default() }',
    'import "golang.org/x/crypto/bcrypt"\nfunc main() { bcrypt.X() }',
    'import "example.org/x/notes/internal/store"\n'
    "func main() { store := store.New(); store.Add(); store.Anything() }",
    'import _ "embed"\nimport . "strings"\nimport "C"\nfunc main() {}',
]
BAD = {
    'import "example.org/x/notes/internal/nothing"\nfunc main() {}': Rule.UNRESOLVED,
    'import "notes/internal/store"\nfunc main() {}': Rule.UNRESOLVED,
    'import "internal/store"\nfunc main() {}': None,
    'import "example.org/x/notes/internal/store"\nfunc main() { store.Open() }': Rule.MISSING_NAME,
    'import "example.org/x/notes/internal/store"\nfunc main() { var x store.Task; _ = x }': Rule.MISSING_NAME,
}


@pytest.mark.parametrize("text", GOOD)
def test_valid_imports(text: str) -> None:
    assert found({**OWN, "main.go": f"package main\n\n{text}\n"}) == []


@pytest.mark.parametrize("text", BAD)
def test_invalid_imports(text: str) -> None:
    rule = BAD[text]
    expected = [("main.go", 3, rule)] if rule else []
    assert found({**OWN, "main.go": f"package main\n\n{text}\n"}) == expected


def test_a_module_that_go_mod_does_not_require_is_a_finding_in_go_mod() -> None:
    text = 'package main\n\nimport "github.com/lib/pq"\n\nfunc main() { pq.X() }\n'
    assert found({**OWN, "main.go": text, "b.go": text}) == [("go.mod", 0, Rule.UNDECLARED)]


def test_without_go_mod_nothing_is_reported() -> None:
    assert found({"main.go": 'package main\n\nimport "github.com/lib/pq"\n\nfunc main() { pq.X() }\n'}) == []


def test_a_package_with_a_file_that_does_not_parse_may_define_anything() -> None:
    main = 'package main\n\nimport "example.org/x/notes/internal/store"\n\nfunc main() { store.Open() }\n'
    files = {**OWN, "internal/store/more.go": "package store\n\nfunc Open( {\n", "main.go": main}
    assert found(files) == [("internal/store/more.go", 3, Rule.SYNTAX)]
