"""Code that is tested, and its tests, read by syntax tree."""

from __future__ import annotations

import ast

import pytest

from gencode.codegen.test_code.functions import named_functions
from gencode.codegen.test_code.mutants import MAX_MUTANTS, control, mutants
from gencode.codegen.test_code.python_tests import test_functions as functions_of
from gencode.codegen.test_code.python_tests import without

SOURCE = '''\
import os


class Shape:
    """With 1 side."""

    @property
    def area(self) -> int:
        """Doc 3."""
        return self.w * 2

    async def draw(self):
        def inner():
            return 1

        return inner


if os.name == "posix":

    def top(a: int = 3):
        if a < 3 and a:
            return None
        return "text"
'''


def test_python_functions_have_qualified_names_and_lines_with_their_decorators() -> None:
    found = [(one.name, one.first, one.last) for one in named_functions("a.py", SOURCE)]
    assert found == [("Shape.area", 7, 10), ("Shape.draw", 12, 16), ("top", 21, 24)]


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.ts", "export const f = (a: number) => { return a; };\nfunction g() {}\n", ["f", "g"]),
        ("a.js", "class B { m(x) { return function q() {} } }\nexports.h = function () {};\n", ["B.m"]),
        ("a.go", "package a\nfunc (r *Ring) Add() {}\nfunc Z() { f := func() {}; f() }\n", ["Ring.Add", "Z"]),
        ("a.py", "def broken(:\n", []),
        ("a.py", "\ufeffdef f():\r\n    pass\r\n", ["f"]),
        ("a.py", "def f():\n    return 1\0", []),
        ("a.md", "def f(): pass\n", []),
    ],
)
def test_functions_of_other_files(path: str, text: str, names: list[str]) -> None:
    assert [one.name for one in named_functions(path, text)][: len(names)] == names


def test_each_mutant_has_one_fault_inside_of_the_functions() -> None:
    found = mutants(SOURCE, [(7, 24)])
    assert len({one.text for one in found}) == len(found)
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for one in found:
        changed = [pair for pair in zip(original, one.text.splitlines(), strict=True) if pair[0] != pair[1]]
        assert len(changed) == 1, one
    assert {one.kind for one in found} == {
        "arithmetic",
        "boolean",
        "boundary",
        "comparison",
        "condition",
        "constant",
        "return",
    }
    assert not any("Doc 4" in one.text or "a: int = 4" in one.text for one in found)


def test_other_functions_are_left_alone() -> None:
    assert {one.line for one in mutants(SOURCE, [(21, 24)])} == {22, 24}


def test_mutants_are_bounded_and_spread() -> None:
    many = "def f(a):\n" + "".join(f"    a = a + {n}\n" for n in range(500)) + "    return a\n"
    found = mutants(many, [(1, 502)])
    assert len(found) <= MAX_MUTANTS
    assert max(one.line for one in found) > 450
    large = f"X = {'x' * 400_000!r}\n{many}"
    assert sum(len(one.text) for one in mutants(large, [(2, 503)])) < 5_000_000


def test_a_byte_order_mark_is_no_fault() -> None:
    assert mutants("\ufeffdef f(a):\n    return a + 1\n", [(1, 2)])
    assert control("\ufeffdef f(a):\n    return a + 1\n").startswith("def f(a):")


def test_the_control_behaves_like_the_source_and_reads_otherwise() -> None:
    source = "def f(a):\n    return a + 1"
    names: dict[str, object] = {}
    exec(control(source), names)
    function = names["f"]
    assert callable(function)
    assert function(1) == 2
    assert control(source).strip() != source


TESTS = '''\
import pytest


def helper():
    return 1


def test_a():
    """REQ-1"""


class TestB:
    def test_c(self):
        pass

    def test_d(self):
        pass


@pytest.mark.parametrize("x", [1, 2])
def test_e(x):
    pass
'''


def test_tests_are_found_with_what_they_say() -> None:
    found = functions_of(TESTS)
    assert [one.name for one in found] == ["test_a", "TestB.test_c", "TestB.test_d", "test_e"]
    assert found[0].text == "test_a\nREQ-1"


def test_tests_are_removed_with_their_decorators_and_empty_classes() -> None:
    left = without(TESTS, {"test_e", "TestB.test_c"})
    assert [one.name for one in functions_of(left)] == ["test_a", "TestB.test_d"]
    assert "parametrize" not in left
    left = without(TESTS, {"TestB.test_c", "TestB.test_d"})
    assert "TestB" not in left
    assert "def helper" in left
    assert without(TESTS, set()) == TESTS
