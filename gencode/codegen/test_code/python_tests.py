"""The test functions of a Python test file: their names, what they say, and the file without some of them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gencode.codegen.test_code.functions import FunctionNode


@dataclass(frozen=True, kw_only=True, slots=True)
class TestFunction:
    """name: "test_a" or "TestShape.test_a"; text: its name and docstring, where requirements are named."""

    __test__ = False

    name: str
    first: int
    last: int
    text: str = ""


def test_functions(text: str) -> list[TestFunction]:
    """Raises SyntaxError."""
    return list(_tests(ast.parse(text)))


test_functions.__test__ = False  # type: ignore[attr-defined]  # pytest would run it


def without(text: str, names: Collection[str]) -> str:
    """The file without these tests; a class without tests goes with its last one. Raises SyntaxError."""
    tree = ast.parse(text)
    tests = list(_tests(tree))
    gone = [test for test in tests if test.name in names]
    left = {test.name.partition(".")[0] for test in tests if test.name not in names and "." in test.name}
    dropped = {line for test in gone for line in range(test.first, test.last + 1)}
    for node in tree.body:
        of_class = [test for test in gone if test.name.startswith(f"{getattr(node, 'name', '')}.")]
        if isinstance(node, ast.ClassDef) and of_class and node.name not in left:
            dropped |= set(range(_first(node), (node.end_lineno or node.lineno) + 1))
    lines = text.splitlines(keepends=True)
    return _without_gaps("".join(line for at, line in enumerate(lines, 1) if at not in dropped))


def _without_gaps(text: str) -> str:
    while "\n\n\n\n" in text:
        text = text.replace("\n\n\n\n", "\n\n\n")
    return text.rstrip("\n") + "\n" if text.strip() else ""


def _tests(tree: ast.Module) -> Iterator[TestFunction]:
    for node in tree.body:
        if isinstance(node, FunctionNode) and node.name.startswith("test"):
            yield _test(node, node.name)
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, FunctionNode) and method.name.startswith("test"):
                    yield _test(method, f"{node.name}.{method.name}")


def _test(node: FunctionNode, name: str) -> TestFunction:
    text = f"{name}\n{ast.get_docstring(node) or ''}"
    return TestFunction(name=name, first=_first(node), last=node.end_lineno or node.lineno, text=text[:2000])


def _first(node: FunctionNode | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
