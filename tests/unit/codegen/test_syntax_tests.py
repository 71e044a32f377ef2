"""Tests and mutants of JavaScript, TypeScript and Go, found by their syntax trees."""

from __future__ import annotations

import pytest

from gencode.codegen.test_code.syntax_mutants import syntax_control, syntax_mutants
from gencode.codegen.test_code.syntax_tests import syntax_tests, without_syntax_tests

JS = """\
import { add } from "./add.js";
describe("add", () => {
  test("small", () => { expect(add(1, 2)).toBe(3); });
  describe('deep', () => { it.only(`one`, () => {}); });
  test.each([[1, 2]])("adds %i", (a, b) => {});
});
const title = "x"; test(title, () => {});
test("alone", () => {});
"""
GO = """\
package a

import "testing"

func TestA(t *testing.T) {}

func helper() {}

func TestB(t *testing.T) {}
"""


def test_tests_are_named_as_the_framework_names_them() -> None:
    names = ["add small", "add deep one", "add adds %i", "alone"]
    assert [one.name for one in syntax_tests("a.test.js", JS)] == names
    assert [one.name for one in syntax_tests("a.test.ts", JS)] == names
    assert [one.name for one in syntax_tests("a_test.go", GO)] == ["TestA", "TestB"]


def test_tests_are_taken_out() -> None:
    text = without_syntax_tests("a.test.js", JS, ["add small", "alone"])
    assert [one.name for one in syntax_tests("a.test.js", text)] == ["add deep one", "add adds %i"]
    assert 'describe("add"' in text
    assert "TestA" not in without_syntax_tests("a_test.go", GO, ["TestA"])


AREA = "function area(w, h) {\n  if (w < 0) { throw new Error('w'); }\n  return w * h + 1;\n}\n"
GO_AREA = (
    "package a\n\nfunc Area(w, h int) int {\n\tif w < 0 && true {\n\t\treturn 0\n\t}\n\treturn w * h\n}\n"
)


@pytest.mark.parametrize(
    ("path", "text"), [("a.js", AREA), ("a.ts", AREA), ("a.tsx", AREA), ("a.go", GO_AREA)]
)
def test_each_mutant_has_one_change_in_the_lines(path: str, text: str) -> None:
    found = syntax_mutants(path, text, [(1, 20)])
    kinds = {mutant.kind for mutant in found}
    assert {"comparison", "boundary", "arithmetic", "condition", "constant"} <= kinds
    assert len({mutant.text for mutant in found}) == len(found)
    assert text not in {mutant.text for mutant in found}
    assert syntax_mutants(path, text, [(50, 60)]) == []
    control = syntax_control(path, text)
    assert control.replace(" /* same */", "").replace(" if (0 > 1) {}", "") == text != control


def test_texts_that_are_not_ascii_are_changed_at_the_right_place() -> None:
    text = "// 面积\nfunction f(宽) {\n  return 宽 * 2;\n}\n"
    assert "return 宽 + 2;" in {
        mutant.text.splitlines()[2].strip() for mutant in syntax_mutants("a.js", text, [(1, 9)])
    }
    assert "function f(宽) { if (0 > 1) {}" in syntax_control("a.js", text)
