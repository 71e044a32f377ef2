"""Paths that can be in one tree. tests/properties/test_tree.py compares the rules with Git."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from gencode.domain import tree
from gencode.domain.errors import UnsafeTree
from gencode.domain.tree import Tree, check_paths

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
