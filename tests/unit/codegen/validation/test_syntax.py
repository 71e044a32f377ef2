"""Files that do not parse are reported with the line; templates are left alone."""

from __future__ import annotations

import pytest

from gencode.codegen.validation.findings import Rule
from tests.unit.codegen.validation.projects import of, one

GOOD = {
    "a.py": "def f(x: int) -> int:\n    return x\n",
    "newer.py": 'def f[T](x: T) -> str:\n    return f"{d["a"]}"\n',
    "a.json": '\ufeff{"a": [1, 2.5e3, "x"], "n": ' + "9" * 5000 + "}",
    "rows.json": '{"a": 1}\n{"a": 2}\n',
    "tsconfig.json": '// c\n{"a": "//no", /* d */ "b": [1,],}\n',
    ".vscode/settings.json": '{\n  // c\n  "a": 1\n}\n',
    "a.yaml": "a: !Ref B\nc: !Sub '${D}'\n---\nb: [1, 2]\n",
    ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: echo ${{ github.sha }}\n",
    "a.toml": "[a]\nb = 1\n",
    "a.svg": "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0'/></svg>",
    "a.go": "package a\n\nfunc F[T any](x T) T {\n\tfor i := range 10 {\n\t\t_ = i\n\t}\n\treturn x\n}\n",
    "a.js": "#!/usr/bin/env node\nexport const f = async (x) => { for await (const y of x?.z ?? []) {} };\n",
    "a.jsx": 'export default () => <div class="a">a & b && <img src={x} alt="" /></div>;\n',
    "a.ts": "export type * from 'b';\nconst x = {} satisfies Y;\nfunction f<const T>(a: T): a is U {}\n",
    "b.test.ts": "const a = await vi.importActual<typeof import('./x')>();\n",
    "a.tsx": "const f = <T,>(x: T) => <p>don't a && b {x}</p>;\n",
    "A.java": "sealed interface S permits A {}\n"
    'record A(int x) implements S { String s() { return """\n a"""; } }\n',
    "a.rs": "pub async fn f<'a>(x: &'a str) -> Result<(), E> { let Some(y) = z else { return "
    "Ok(()) }; g!(y) }\n",
    "a.c": "#include <stdio.h>\n#define M(x) do { x; } while (0)\n"
    'int main(void) { M(puts("a")); return 0; }\n',
    "a.h": "#pragma once\nclass A { public: int f() const; };\n",
    "a.cpp": "template <typename T> concept C = requires(T t) { t.f(); };\n"
    "auto f(C auto x) { return [=] { return x; }; }\n",
    "a.html": "<!doctype html><html><head><title>A & B</title></head><body><p>5 < 6<br><li>x</body></html>",
    "a.css": "@import 'tailwindcss';\n.a { &:hover { color: red } @apply px-4; *zoom: 1; width: 1px\\9; }\n",
    "a.sh": 'set -e\nx=$(cat <<EOF\n$y\nEOF\n)\nif [[ $x =~ ^a ]]; then echo >&"$fd"; fi\n',
    "a.rb": "def f(x) = x + 1\ncase a\nin {b: Integer => c} then c\nend\n",
    "a.php": "<?php\nenum S: string { case A = 'a'; }\n$f = fn(?int $x) => $x?->y;\n?><p><?= $f ?></p>\n",
    "a.cs": "var app = B.Create(args);\nint[] a = [1, ..b];\npublic record T(int Id, string? Name);\n",
    "a.vue": '<template><p v-if="a < b">{{ c }}</p></template>\n<script setup lang="ts">\n'
    "const a: number = 1\n</script>\n",
}
BAD = {
    "a.py": ("x = 1\ndef f(:\n    pass\n", 2),
    "two.py": ('print "hello"\n', 1),
    "a.json": ('{\n  "a": 1,\n}\n', 3),
    "nan.json": ("[NaN]\n", 0),
    "commented.json": ('// c\n{"a": 1}\n', 1),
    "a.yaml": ("a: [1,\nb: }\n", 2),
    "a.toml": ("[a]\nb = \n", 2),
    "a.xml": ("<a>\n<b></a>\n", 2),
    "a.go": ("package a\n\nfunc F() {\n\treturn (\n}\n", 4),
    "a.js": ("const a = 1;\nconst b = ;\n", 2),
    "typed.js": ("const a = 1;\nfunction f(x: string): void {}\n", 2),
    "a.jsx": ("const a = <div><p></div>;\n", 1),
    "a.ts": ("interface A {\n  x: string\n", 2),
    "a.tsx": ("const a = (\n  <div>\n);\n", 1),
    "A.java": ("class A {\n  int f() { return 1 }\n}\n", 2),
    "a.rs": ("fn f() {\n    let x = ;\n}\n", 2),
    "a.c": ("int f(void) {\n  if (1) {\n    return 1;\n}\n", 4),
    "a.cpp": ("class A {\n  int f() { return 1; }\n", 1),
    "a.html": ("<!doctype html>\n<html><body>\n<div class=\n", 3),
    "cut.html": ("<html>\n<body>\n<p>and then\n", 3),
    "a.css": (".a { color: red;\n.b { color: blue; }\n", 2),
    "a.sh": ("if true; then\n  echo a\n", 3),
    "a.rb": ("class A\n  def f\n  end\n", 1),
    "a.php": ("<?php\nfunction f( {\n}\n", 2),
    "a.cs": ("class A {\n  void F() { int x = ; }\n}\n", 2),
    "a.vue": ("<template><p/></template>\n<script>\nconst a = ;\n</script>\n", 3),
    "fenced.py": ("```python\nx = 1\n```\n", 1),
}
TEMPLATES = {
    "chart/templates/deployment.yaml": '{{- if .Values.a }}\nname: {{ include "x" . }}\n{{- end }}\n',
    "playbook.yml": "- hosts: {{ x }}\n  {% if y %}\n  - a\n  {% endif %}\n",
    "templates/a.html": '<html>{% if a %}<body class="b">{% else %}<body>{% endif %}<option {{ c }}></html>',
    "views/head.html": "<html><head></head><body><%- include('x') %>",
    "views/a.ejs": "<% if (a) { %><p><% } %>",
    "a.html.j2": "{% for %}",
    "{{cookiecutter.name}}/a.py": "{% if a %}\nimport b\n{% endif %}\n",
    "wp-config.php": "<?php\ndefine('A', {{ a }});\n",
    "partial.html": "</div></body></html>\n",
    "README.md": "```python\ndef f(:\n```\n",
}


@pytest.mark.parametrize("path", GOOD)
def test_a_valid_file_has_no_syntax_error(path: str) -> None:
    assert [line for line, rule in of(path, GOOD[path]) if rule is Rule.SYNTAX] == []


@pytest.mark.parametrize("path", BAD)
def test_a_syntax_error_is_reported_with_its_line(path: str) -> None:
    text, line = BAD[path]
    assert of(path, text) == [(line, Rule.SYNTAX)]


@pytest.mark.parametrize("path", TEMPLATES)
def test_templates_are_left_alone(path: str) -> None:
    assert of(path, TEMPLATES[path]) == []


@pytest.mark.parametrize(
    "path", [path for path in GOOD if path.endswith((".go", ".js", ".ts", ".java", ".rs"))]
)
def test_a_file_cut_off_in_the_middle_of_a_block_is_reported(path: str) -> None:
    text = GOOD[path] + "\nfunc" + GOOD[path][: len(GOOD[path]) * 3 // 4]
    assert Rule.SYNTAX in {rule for _, rule in of(path, text)}


def test_a_message_says_what_is_wrong_and_what_to_do() -> None:
    finding = one({"a.js": "const a = {;\n"})
    assert finding.message.startswith("a.js does not parse (line 1)")
    assert finding.for_model.endswith(". Write the whole file again, complete and valid.")


def test_people_see_no_instruction_to_the_model() -> None:
    finding = one({"a.js": "const a = {;\n"})
    assert finding.shown == {"path": "a.js", "line": 1, "rule": "syntax", "message": finding.message}
    assert "again" not in finding.message


def test_a_warning_of_the_compiler_is_not_a_finding() -> None:
    assert of("a.py", 'import re\nX = re.compile("\\d")\n') == []


@pytest.mark.parametrize(
    "page",
    [
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html><body><p>x</p></body></html>\n',
        "<html><body><pre>const f = () => 1; a -> b; 1 < 2 && 2 > 1</pre></body></html>\n",
        "<html><!-- <p> in a comment -> stays --><body><p class='a'>x &amp; y & z</p></body></html>\n",
    ],
)
def test_marks_that_browsers_take_for_text_are_valid(page: str) -> None:
    assert of("a.html", page) == []


def test_a_statement_may_begin_with_a_bracket_after_an_arrow_function() -> None:
    text = "const f = (x) => {\n  return x\n}\n\n[...[1], 2].forEach((x) => f(x))\n"
    assert of("a.js", text) == []
