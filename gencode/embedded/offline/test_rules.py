"""Answers to `test_generation` by rules: the examples of docstrings become tests, and nothing is guessed.

A function without examples gets a test that it is there. Expected values come from the docstrings only.
"""

from __future__ import annotations

import ast
import doctest
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gencode.embedded.offline.openai_protocol import ChatMessage

MAX_SOURCE = 60_000
"""Characters that are parsed; a longer source gets tests that its functions are there."""
MAX_EXAMPLES = 50
_NOTE = "Made by rules of the offline model: examples of docstrings, else that a function is there."
_REQUEST = re.compile(r"^Request: (\{.*\})$", re.MULTILINE)
_SOURCE = re.compile(r'^<source path="([^"]*)">\n(.*)\n</source>$', re.MULTILINE | re.DOTALL)


def test_generation(messages: Sequence[ChatMessage]) -> str:
    """The test file; a remark if the prompt is not the service's own."""
    content = next((message.content for message in messages if message.role == "user"), "")
    request, source = _REQUEST.search(content), _SOURCE.search(content)
    try:
        asked = json.loads(request.group(1)) if request else {}
    except ValueError:
        asked = {}
    if not source or not asked.get("functions"):
        return "The rules of the offline model found no function to test."
    path, text = source.groups()
    if path.endswith(".py"):
        return _python(asked, text)
    return _go(asked, text) if path.endswith(".go") else _javascript(asked, path)


# --- Python -----------------------------------------------------------------------------------------


def _python(asked: Mapping[str, Any], text: str) -> str:
    documented = _docstrings(text)
    names: dict[str, None] = {}
    tests: list[str] = []
    for function in map(str, asked["functions"]):
        body = list(_statements(documented.get(function, ""), names))
        if not any("assert " in line or "raises(" in line for line in body):
            names[function.partition(".")[0]] = None
            body = [f"assert callable({function})"]
        tests += ["", "", f"def test_{_identifier(function)}() -> None:", *(f"    {line}" for line in body)]
    used = sorted(name for name in names if name.isidentifier() and name in _defined(text))
    head = [f'"""{_NOTE}"""', ""]
    head += ["import pytest", ""] if any("pytest." in line for line in tests) else []
    head += [f"from {asked['module']} import {', '.join(used)}"] if used else []
    lines = [*head, *tests]
    return "\n".join(_as_test_case(lines) if asked.get("framework") == "unittest" else lines) + "\n"


def _as_test_case(lines: Sequence[str]) -> Iterator[str]:
    """Functions as methods; a method may use plain assertions, too."""
    is_open = False
    for line in lines:
        if line.startswith("import pytest"):
            yield "import unittest"
        elif line.startswith("def test_"):
            if not is_open:
                yield "class ExampleTests(unittest.TestCase):"
                is_open = True
            yield f"    {line.replace('()', '(self)', 1)}"
        else:
            yield f"    {line.replace('pytest.raises(', 'self.assertRaises(')}" if is_open and line else line


def _docstrings(text: str) -> Mapping[str, str]:
    """By the names of functions and methods."""
    return dict(_documented(_parsed(text), ""))


def _documented(node: ast.AST, prefix: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", ast.get_docstring(child) or ""
        elif isinstance(child, ast.ClassDef):
            yield from _documented(child, f"{prefix}{child.name}.")


def _defined(text: str) -> set[str]:
    """Names of functions, classes and constants of the module."""
    found = {str(getattr(node, "name", "")) for node in _parsed(text).body}
    assigned = (node for node in _parsed(text).body if isinstance(node, ast.Assign))
    return found | {name.id for node in assigned for name in node.targets if isinstance(name, ast.Name)}


def _parsed(text: str) -> ast.Module:
    """An empty module for a text that does not parse."""
    try:
        return ast.parse(text if len(text) <= MAX_SOURCE else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _statements(docstring: str, names: dict[str, None]) -> Iterator[str]:
    """The examples of a docstring as statements; `names` gets what they use."""
    try:
        examples = doctest.DocTestParser().get_examples(docstring)[:MAX_EXAMPLES]
    except ValueError:
        return
    for example in examples:
        source = example.source.strip()
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        names.update({node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name)})
        yield from _statement(source, example, is_expression=_is_expression(tree))


def _statement(source: str, example: doctest.Example, *, is_expression: bool) -> Iterator[str]:
    lines = source.splitlines()
    if example.exc_msg is not None:
        error = example.exc_msg.partition(":")[0].strip().rpartition(".")[2]
        if error.isidentifier():
            yield f"with pytest.raises({error}):"
            yield from (f"    {line}" for line in lines)
    elif not is_expression or len(lines) > 1 or doctest.ELLIPSIS in example.options:
        yield from lines if not example.want else ()
    elif not example.want:
        yield f"assert ({source}) is None"
    elif _is_literal(example.want):
        yield f"assert ({source}) == {example.want.strip()}"
    else:
        yield f"assert repr({source}) == {example.want.strip()!r}"


def _is_expression(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
    return "\n" not in text.strip()


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name).lower()


# --- other languages --------------------------------------------------------------------------------


def _javascript(asked: Mapping[str, Any], path: str) -> str:
    test_file = str(asked.get("test_file", ""))
    module = posixpath.relpath(posixpath.splitext(path)[0], posixpath.dirname(test_file) or ".")
    module = module if module.startswith(".") else f"./{module}"
    globals_ = 'import { expect, test } from "vitest";\n' if asked.get("framework") == "vitest" else ""
    tests = [
        f"\ntest({json.dumps(f'{name} is there')}, () => {{\n  expect(typeof tested.{name}).toBe("
        f'"function");\n}});\n'
        for name in asked["functions"]
    ]
    return f"// {_NOTE}\n{globals_}import * as tested from {json.dumps(module)};\n{''.join(tests)}"


def _go(asked: Mapping[str, Any], text: str) -> str:
    package = re.search(r"^package (\w+)", text, re.MULTILINE)
    tests = [
        f"\nfunc Test{_identifier(name).title().replace('_', '')}IsThere(t *testing.T) {{\n"
        f"\tif any({_go_value(name)}) == nil {{\n"
        f'\t\tt.Fatal("{name} is not there")\n\t}}\n}}\n'
        for name in map(str, asked["functions"])
    ]
    named = package.group(1) if package else "main"
    return f'// {_NOTE}\npackage {named}\n\nimport "testing"\n{"".join(tests)}'


def _go_value(name: str) -> str:
    """A function, or the method of a pointer."""
    owner, _, method = name.rpartition(".")
    return f"(*{owner}).{method}" if owner else name
