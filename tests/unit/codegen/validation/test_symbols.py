"""The symbols of a file and their one-line signatures, by language."""

from __future__ import annotations

from gencode.codegen.validation.analyzer import signatures, symbols
from gencode.codegen.validation.file_analysis import Import


def test_the_symbols_of_python() -> None:
    text = (
        "from .a import b\nimport os.path\n\n@app.get('/x')\nasync def f(\n    x: int,\n    y=2,\n) -> str:\n"
        '    """Says."""\n    return ""\n\n\nclass Note(Base):\n    title: str\n'
        "    def __init__(self, t): ...\n"
        "    def _hidden(self): ...\n    def save(self) -> None:\n        self.x = 1\n\nLIMIT = 10\n"
    )
    assert signatures("a.py", text) == (
        "@app.get('/x') async def f( x: int, y=2, ) -> str",
        "class Note(Base): title: str; def __init__(self, t); def save(self) -> None",
        "LIMIT = 10",
    )
    assert symbols("a.py", text).imports == (
        Import(module="a", line=1, names=("b",), level=1),
        Import(module="os.path", line=2),
    )


def test_the_symbols_of_typescript() -> None:
    text = (
        "import d, { a as b, type C } from './x';\nexport interface Note { id: string }\n"
        "export class Store extends Base {\n  items: Note[] = [];\n"
        "  add(note: Note): void { this.items.push(note); }\n}\n"
        "export const list = (store: Store) => {\n  return store.items;\n};\n"
        "export default function App() { return 1; }\n"
    )
    found = symbols("a.ts", text)
    assert [symbol.name for symbol in found.exports] == ["Note", "Store", "list", "default"]
    assert signatures("a.ts", text) == (
        "export interface Note { id: string }",
        "export class Store extends Base { items: Note[]; add(note: Note): void }",
        "export const list = (store: Store)",
        "export default function App()",
    )
    assert found.imports == (Import(module="./x", line=1, names=("default", "a", "C")),)
    assert found.bases == {"Base"}


def test_a_classic_script_exports_its_globals() -> None:
    assert signatures("a.js", "function add(x) { return x; }\nconst LIMIT = 1;\n") == (
        "function add(x)",
        "const LIMIT = 1;",
    )


def test_the_symbols_of_go() -> None:
    text = (
        'package store\n\nimport "fmt"\n\ntype Note struct {\n\tID int\n}\n\n'
        "func (n *Note) Add(x int) error {\n\tfmt.Println(x)\n\treturn nil\n}\n"
    )
    assert signatures("a.go", text) == ("Note struct { ID int }", "func (n *Note) Add(x int) error")
    assert symbols("a.go", text).imports == (Import(module="fmt", line=3, names=("Println",)),)


def test_the_signatures_of_other_languages() -> None:
    assert signatures("A.java", "class A { int f(int x) { return x; } }") == ("class A", "int f(int x)")
    assert signatures("a.rs", "pub fn f(x: u8) -> u8 { x }\npub struct A { id: u8 }") == (
        "pub fn f(x: u8) -> u8",
        "pub struct A { id: u8 }",
    )
    assert signatures("a.c", "int f(int a) { return a; }\n#define N 1\n") == ("int f(int a)", "#define N 1")
    assert signatures("a.rb", "class A\n  def f(x)\n  end\nend\n") == ("class A", "def f(x)")
    assert signatures("a.php", "<?php function f($a) { }") == ("function f($a)",)
    assert signatures("a.cs", "class A { int F(int x) { return 1; } }") == ("class A", "int F(int x)")
    assert signatures("a.sh", "f() { :; }\n") == ("f()",)
    assert signatures("a.css", ".card { --gap: 1px; }") == (".card", "--gap: 1px;")
    assert signatures("a.html", "<html><body><p id='list'></p></body></html>") == ("id='list'",)


def test_the_exports_of_a_file_that_cannot_be_analysed_are_unknown() -> None:
    for path, text in (("a.py", "def f(:"), ("a.md", "# x"), ("a.unknown", "x"), ("a.ts", "const = ;")):
        found = symbols(path, text)
        assert found.has_unknown_exports
        assert not found.exports


def test_the_length_of_a_signature_is_bounded() -> None:
    (line,) = signatures("a.py", f"def f({', '.join(f'argument{n}' for n in range(500))}): pass\n")
    assert len(line) == 300


def test_the_symbols_of_newer_python_are_in_the_order_of_the_file() -> None:
    """tree-sitter parses it; captures of a query come in no order."""
    names = [f"f{number}" for number in range(50)]
    text = "".join(f"def {name}[T](x: T) -> T:\n    return x\n\n\n" for name in names)
    assert [symbol.name for symbol in symbols("a.py", text).exports] == names
