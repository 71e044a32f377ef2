"""The offline model writes tests by rules: examples of docstrings, and nothing that is guessed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.rule_answers import rule_answer

SOURCE = '''\
LIMIT = 3


def area(w, h):
    """The area.

    >>> area(2, 3)
    6
    >>> area(2, LIMIT)
    6
    >>> area(-1, 3)
    Traceback (most recent call last):
    ValueError: negative
    >>> print("x")
    x
    """
    return w * h


def half(x):
    return x / 2


class Shape:
    def name(self):
        """
        >>> shape = Shape()
        >>> shape.name()
        'shape'
        >>> Shape().name
        <bound method ...>
        """
'''


def answer(functions: Sequence[str], path: str = "shapes.py", text: str = SOURCE, **fields: str) -> str:
    request = {"test_file": "tests/test_shapes.py", "framework": "pytest", "module": "shapes", **fields}
    content = (
        f"Request: {json.dumps({**request, 'functions': list(functions)})}\n\n"
        f'<source path="{path}">\n{text}\n</source>\n\nWrite this file now: tests/test_shapes.py'
    )
    messages = [
        ChatMessage(role="system", content="Task: test_generation\nrules"),
        ChatMessage(role="user", content=content),
    ]
    return rule_answer(messages) or ""


def test_examples_become_tests() -> None:
    text = answer(["area", "half", "Shape.name"])
    compile(text, "test", "exec")
    assert "rules of the offline model" in text
    for line in (
        "from shapes import LIMIT, Shape, area, half",
        "    assert (area(2, 3)) == 6",
        "    with pytest.raises(ValueError):",
        "        area(-1, 3)",
        "    assert callable(half)",
        "    shape = Shape()",
        "    assert (shape.name()) == 'shape'",
    ):
        assert line in text.splitlines()


def test_unittest_gets_a_class() -> None:
    text = answer(["area", "half"], framework="unittest")
    compile(text, "test", "exec")
    assert "class ExampleTests(unittest.TestCase):" in text
    assert "        with self.assertRaises(ValueError):" in text.splitlines()
    assert "pytest" not in text


def test_other_languages_get_a_test_that_functions_are_there() -> None:
    text = answer(["f"], "src/a.ts", "export function f() {}", test_file="src/a.test.ts", framework="vitest")
    assert 'import * as tested from "./a";' in text
    assert 'expect(typeof tested.f).toBe("function")' in text
    text = answer(["Ring.Add"], "a.go", "package ring\n", framework="go test")
    assert "package ring" in text
    assert "(*Ring).Add" in text


@pytest.mark.parametrize("text", ["def area(:\n", "\0", "(" * 5000, 'def area():\n    """>>> (\n    """\n'])
def test_what_does_not_parse_is_only_imported(text: str) -> None:
    assert "assert callable(area)" in answer(["area"], text=text)


def test_a_prompt_of_others_gets_no_tests() -> None:
    messages = [
        ChatMessage(role="system", content="Task: test_generation"),
        ChatMessage(role="user", content="Request: {broken}\nplease"),
    ]
    assert "found no function" in (rule_answer(messages) or "")
