"""The allow-list of paths, rule by rule. tests/properties/test_tree.py compares it with Git."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from gencode.domain import tree
from gencode.domain.errors import UnsafePath, UnsafeTree
from gencode.domain.tree import Tree, check_path, check_paths

GOOD = [
    "a",
    "README.md",
    "src/app.py",
    ".gitignore",
    "sub/.gitignore",
    ".gitkeep",
    ".github/dependabot.yml",
    ".gitlab-ci.yml",
    ".env.example",
    "docs/介绍.md",
    "naïve café.txt",
    "a b/c d.txt",
    "console.py",
    "auxiliary/nullable.go",
    "com10.txt",
    "-rf",
    "a~1",
    "a..b",
    "...a",
    "github/workflows/x.yml",
    "s" * 255,
    "/".join(["d" * 100] * 10),
]

BAD = [
    "",
    "/",
    "/etc/passwd",
    "a/",
    "a//b",
    ".",
    "..",
    "./a",
    "a/./b",
    "../a",
    "a/../b",
    "a/..",
    "a\\b",
    "a\\..\\b",
    "C:/x",
    "C:x",
    "a:b",
    "a:$DATA",
    "a*b",
    "a?b",
    'a"b',
    "a<b",
    "a>b",
    "a|b",
    "a\0b",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u00a0b",
    "a\u3000b",
    "\ufeffa",
    "a\u200db",
    "a\u200bb",
    "a\u202eb",
    "a\u2066b",
    "a\u00adb",
    "a\ud800b",
    "a\ue000b",
    "a\U0010ffffb",
    "a\u0378b",
    "cafe\u0301",
    "\u212b",
    "a.",
    "a ",
    " a",
    "a./b",
    "a /b",
    " a/b",
    "...",
    "CON",
    "con",
    "con.txt",
    "CON .txt",
    "Con.tar.gz",
    "prn",
    "aux.c",
    "sub/NUL",
    "nul.",
    "com1",
    "COM9.log",
    "com\u00b9",
    "lpt0",
    "LPT1.x",
    "conin$",
    "CONOUT$",
    ".git",
    ".GIT",
    ".Git/config",
    "a/.git/hooks/pre-commit",
    ".git\u200d",
    ".g\u200cit",
    ".git ",
    ".git.",
    ".git::$INDEX_ALLOCATION",
    "git~1",
    "GIT~1",
    "a/git~2/x",
    "\uff0egit",
    ".\uff47\uff49\uff54",
    ".gitmodules",
    ".GitModules",
    ".gitattributes",
    ".gitconfig",
    "gitmod~1",
    "gi7eba~1",
    "GI7D29~1",
    ".mailmap",
    ".github/workflows/ci.yml",
    ".GitHub/Workflows/ci.yml",
    "s" * 256,
    "\u4e2d" * 86,
    "/".join(["d" * 100] * 11),
    "/" * 2_000_000,
    "x" * 5_000_000,
]


@pytest.mark.parametrize("path", GOOD)
def test_an_ordinary_path_is_accepted(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: repr(path[:40]))
def test_an_unsafe_path_is_refused_with_a_short_message(path: str) -> None:
    with pytest.raises(UnsafePath) as caught:
        check_path(path)
    assert caught.value.code == "UNSAFE_PATH"
    assert len(caught.value.message) < 2500
    assert caught.value.message.isprintable()


def test_workflow_files_can_be_allowed() -> None:
    check_path(".github/workflows/ci.yml", workflows=True)
    with pytest.raises(UnsafePath, match="ALLOW_WORKFLOWS"):
        check_path(".github/workflows/ci.yml")


CLASHES = [
    ("README.md", "readme.md"),
    ("src/a", "Src/b"),
    ("straße", "STRASSE"),
    ("ﬁle", "file"),
    ("İx", "i̇x"),
    ("Ǆ", "ǆ"),
    ("a", "a/b"),
    ("a/b", "a"),
    ("A", "a/b"),
    ("a/b/c", "A/B"),
    ("x/Y/z", "x/y"),
]


@pytest.mark.parametrize(("one", "other"), CLASHES)
def test_names_that_are_equal_on_some_system_clash(one: str, other: str) -> None:
    for pair in ([one, other], [other, one], ["0", one, "m/n", other]):
        with pytest.raises(UnsafeTree):
            check_paths(pair)


def test_similar_names_do_not_clash() -> None:
    check_paths(
        ["a/b", "a/c", "ab", "a.b", "a-b/c", "b/a", "src/x/y", "src/xy", "ä", "a\u0308".encode().hex()]
    )
    check_paths(["a", "a"])


def test_a_million_files_are_refused_without_reading_all_names() -> None:
    read = itertools.count()

    def names() -> Iterator[str]:
        for n in range(10**6):
            next(read)
            yield f"d{n}/f"

    with pytest.raises(UnsafeTree, match="more than 2000 files"):
        check_paths(names())
    assert next(read) == tree.MAX_FILES + 1


def test_the_maximum_number_of_files_is_accepted() -> None:
    check_paths(f"f{n}" for n in range(tree.MAX_FILES))


def test_a_tree_has_all_files_in_sorted_order() -> None:
    made = Tree.of({"b": b"2", "a/x": b"1"})
    assert list(made.files.items()) == [("a/x", b"1"), ("b", b"2")]


def test_sizes_are_bounded() -> None:
    Tree.of({"a": b"x" * tree.MAX_FILE_BYTES})
    with pytest.raises(UnsafeTree, match="'a' is larger"):
        Tree.of({"a": b"x" * (tree.MAX_FILE_BYTES + 1)})
    most = tree.MAX_TREE_BYTES // tree.MAX_FILE_BYTES
    whole = b"x" * tree.MAX_FILE_BYTES
    Tree.of({f"f{n}": whole for n in range(most)})
    with pytest.raises(UnsafeTree, match="the project is larger"):
        Tree.of({"one": b"1", **{f"f{n}": whole for n in range(most)}})
