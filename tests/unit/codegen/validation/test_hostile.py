"""Hostile texts give a finding or nothing, within bounded time, and never an exception."""

from __future__ import annotations

import pytest

from gencode.codegen.validation import treesitter
from gencode.codegen.validation.analyzer import analyze, signatures, symbols
from gencode.codegen.validation.findings import Rule
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.placeholder_rules import may_contain_placeholder, placeholder_lines
from tests.unit.codegen.validation.projects import found, of

SUFFIXES = [
    "py",
    "go",
    "js",
    "jsx",
    "ts",
    "tsx",
    "rs",
    "java",
    "c",
    "h",
    "cpp",
    "html",
    "css",
    "sh",
    "rb",
    "php",
    "cs",
    "json",
    "yaml",
    "toml",
    "xml",
    "vue",
    "sql",
    "md",
]
DEEP = {
    "a.py": "(" * 50_000,
    "b.py": "-" * 100_000 + "1",
    "c.py": "x = " + "[" * 5_000 + "]" * 5_000,
    "d.py": "".join(f"{' ' * depth}if x:\n" for depth in range(150)) + " " * 150 + "pass\n",
    "a.js": "[" * 50_000,
    "a.go": "package a\nvar x = " + "[{" * 60_000,
    "a.java": "class A { " + "a<" * 60_000,
    "a.ts": "f(" * 60_000,
    "a.json": "[" * 200_000,
    "a.yaml": "[" * 100_000,
    "a.toml": "a = " + "[" * 100_000,
    "a.xml": "<a>" * 100_000,
    "tsconfig.json": '{"a":' * 100_000,
}
ODD = [
    *("\x00", "\ufeff", "\u202e", "\ud800", "\r", "\x0c", "\u2028", "\U0001f600"),
    *(
        "'" * 99,
        '"' * 99,
        "`" * 99,
        "/*" * 99,
        "<!--" * 99,
        "#{" * 99,
        "${" * 99,
        "\\" * 99,
        "\n" * 99,
        "\t" * 99,
    ),
]
SLOW = [
    '"\\' * 500_000,
    "/*" * 500_000,
    "//" * 500_000,
    " " * 1_000_000,
    "." * 1_000_000,
    "... " * 250_000,
    "rest of the " * 80_000,
    "TODO " * 200_000,
    "TODO: " + "please " * 150_000,
    "其余" * 500_000,
    "此处代码内容" * 150_000,
    "exports" * 100_000,
    "<script " * 100_000,
    "- " * 500_000,
    "import a\n" * 20_000,
]


@pytest.mark.parametrize("path", DEEP)
def test_text_that_is_nested_too_deeply_is_a_syntax_error(path: str) -> None:
    if path in ("c.py", "d.py"):
        assert len(of(path, DEEP[path])) == 1
    else:
        assert Rule.SYNTAX in {rule for _, rule in of(path, DEEP[path])}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_unusual_characters_raise_nothing(suffix: str) -> None:
    for text in ODD:
        analyze(f"a.{suffix}", text)
        signatures(f"a.{suffix}", f"x = 1\n{text}\n")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_line_of_two_megabytes_gives_at_most_one_finding(suffix: str) -> None:
    assert len(of(f"a.{suffix}", "a" * 2_000_000)) <= 1


@pytest.mark.parametrize("text", SLOW, ids=lambda text: repr(text[:12]))
def test_no_pattern_takes_quadratic_time(text: str) -> None:
    """The timeout of the test would fail it. Data formats, comments and manifests are searched as a whole.

    It takes ten minutes and more for a pass by the square of the length.
    """
    text = text[:400_000]
    may_contain_placeholder(text)
    list(placeholder_lines(text))
    for path in ("tsconfig.json", "a.sql", "a.md", "a.vue", "a.css", "a.sh", "a.html"):
        analyze(path, text)
    files = {"requirements.txt": text, "setup.py": text, "go.mod": text, "index.html": "importmap" + text}
    found({**files, "a.py": "import x\n", "a.go": "package a\n", "a.js": "import 'y';\n"})


def test_hostile_paths_raise_nothing() -> None:
    for path in (
        "",
        "/",
        "..",
        "a/../../b.py",
        ".py",
        "a.",
        "a" * 5000 + ".py",
        "\n.js",
        "{a}.py",
        "路/径.ts",
    ):
        language_of(path)
        assert symbols(path, "x = 1\n") is not None
    found({"../a.py": "from ...x import y\n", "a//b.js": "import x from '../../../../y';\n"})


def test_circular_imports_are_valid() -> None:
    files = {"a.py": "from b import x\n", "b.py": "from a import x\n", "a.ts": "export * from './b';\n"}
    assert found({**files, "b.ts": "export * from './a';\nimport { z } from './a';\n"}) == []


@pytest.mark.fault(96)
@pytest.mark.parametrize(
    "text", ["a." * 500_000, f"a = {'9' * 5_000}", f"a = 1\n{'b . ' * 500_000} = 2\n"], ids=lambda t: t[:9]
)
def test_toml_that_python_cannot_take_is_a_finding(text: str) -> None:
    files = {"a.toml": text, "pyproject.toml": text, "a.py": "import x\n"}
    assert ("a.toml", Rule.SYNTAX) in {(path, rule) for path, _, rule in found(files)}


def test_short_texts_that_a_grammar_takes_seconds_for_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """15 KB take four seconds; this half takes half a second."""
    monkeypatch.setattr(treesitter, "MAX_CPU_SECONDS", 0.05)
    assert of("a.js", "&key=" * 1_500) == [(0, Rule.SYNTAX)]
