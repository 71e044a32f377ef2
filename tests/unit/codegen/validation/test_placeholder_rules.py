"""Comments and bodies that stand for code that was left out, and those that only look like it."""

from __future__ import annotations

import pytest

from gencode.codegen.validation.findings import Rule
from tests.unit.codegen.validation.projects import found, of

COMMENTS = [
    "... rest of the code unchanged",
    "... existing code ...",
    "...existing imports...",
    "... other routes",
    "... remaining methods remain the same ...",
    "rest of the code remains the same",
    "The rest of the file is unchanged",
    "(rest of the implementation here)",
    "existing code stays the same",
    "other methods omitted",
    "Omitted for brevity",
    "error handling is left out for the sake of brevity",
    "TODO: implement",
    "TODO: Implement the login",
    "TODO implement this",
    "TODO(me): add actual implementation",
    "implement me",
    "Your code here",
    "add your business logic here",
    "implementation goes here",
    "此处省略",
    "此处代码省略",
    "其余代码不变",
    "其余代码保持不变",
    "其他方法省略",
    "省略其他代码",
    "待实现",
    "TODO: 待实现",
    "在此处添加你的代码",
]
HARMLESS_COMMENTS = [
    "Implementation of the to-do list",
    "Todo items that are done come last",
    "todo: implement login",  # a to-do's own text, in a to-do app's example
    "the rest of the arguments",
    "The rest of the code assumes that x is sorted",
    "existing code in callers relies on this order",
    "other methods are tried next",
    "...and then the next one",
    "an interface to be implemented by plugins",
    "names are shortened for display",
    "enter the code here to log in",
    "implements the Todo interface",
    "这里的代码处理待办事项",
    "待办事项已实现的部分",
    "其他代码会调用它",
    "省略号表示更多",
]
MARKS = {"a.py": "# {}\nx = 1\n", "a.ts": "// {}\nexport const x = 1;\n", "a.css": "/* {} */\n.a { b: c }\n"}
MARKS |= {
    "a.html": "<html><body><!-- {} --></body></html>\n",
    "a.sh": "# {}\nx=1\n",
    "a.sql": "-- {}\nSELECT 1;\n",
}
MARKS |= {
    "a.go": "package a\n\n// {}\nvar x = 1\n",
    "a.rs": "// {}\nconst X: u8 = 1;\n",
    "a.kt": "// {}\nval x = 1\n",
}
MARKS |= {"a.yaml": "# {}\na: 1\n", "Dockerfile": "# {}\nFROM a\n"}


@pytest.mark.parametrize("words", COMMENTS)
@pytest.mark.parametrize("path", MARKS)
def test_a_comment_that_says_that_code_is_left_out(path: str, words: str) -> None:
    text = MARKS[path].replace("{}", words)
    line = next(row for row, part in enumerate(text.split("\n"), start=1) if words in part)
    assert of(path, text) == [(line, Rule.PLACEHOLDER)]


@pytest.mark.parametrize("words", HARMLESS_COMMENTS)
@pytest.mark.parametrize("path", MARKS)
def test_a_harmless_comment(path: str, words: str) -> None:
    assert of(path, MARKS[path].replace("{}", words)) == []


@pytest.mark.parametrize("words", COMMENTS)
def test_strings_and_documents_are_not_searched(words: str) -> None:
    files = {
        "a.py": f"X = {words!r}\n",
        "a.js": f"export const x = {words!r};\n",
        "a.html": f'<html><body><input placeholder="{words}">{words}</body></html>\n',
        "README.md": f"# Roadmap\n\n- {words}\n- ...\n",
        "notes.txt": words,
    }
    assert found(files) == []


EMPTY_BODIES = {
    "pass": ("def work(x):\n    pass\n", 1),
    "pass after a docstring": ('def work(x):\n    """Work."""\n    pass\n', 1),
    "dots": ("def work(x): ...\n", 1),
    "not implemented": ("def work(x):\n    raise NotImplementedError\n", 1),
    "not implemented, in words": ('def work():\n    raise NotImplementedError("not implemented yet")\n', 1),
    "async": ("async def work():\n    pass\n", 1),
    "a method": ("class A:\n    def work(self):\n        pass\n", 2),
    "a route": ('@app.get("/")\ndef work():\n    pass\n', 2),
    "an override with a to-do": ("class A(B):\n    def work(self):\n        # TODO\n        pass\n", 2),
    "a to-do after it": ("class A(B):\n    def work(self):\n        pass  # TODO\n", 2),
}
INTENTIONAL_BODIES = {
    "abstract": "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n"
    "    def f(self): ...\n",
    "protocol": "from typing import Protocol\nclass A(Protocol[T]):\n    def work(self) -> int: ...\n",
    "overload": "from typing import overload\n@overload\ndef f(x: int) -> int: ...\ndef f(x): return x\n",
    "exception": "class A(Exception):\n    pass\n",
    "handler": "def f():\n    try:\n        g()\n    except OSError:\n        pass\n",
    "override": "class A(B):\n    def log_message(self, *args):\n        pass\n",
    "click group": "@click.group()\ndef main():\n    pass\n",
    "said so": "def work():\n    pass  # nothing to do on this system\n",
    "said in the docstring": "class A:\n    def work(self):\n"
    '        """Subclasses may override this."""\n        pass\n',
    "an answer": 'def work():\n    raise NotImplementedError("Windows is not supported")\n',
    "null object": "class NullStore:\n    def save(self, x):\n        pass\n",
    "nested": "def f():\n    def work():\n        pass\n    return work\n",
    "hook": "class A:\n    def on_close(self):\n        pass\n",
    "type checking": "if TYPE_CHECKING:\n    def work(x): ...\n",
    "single dispatch": "@singledispatch\ndef work(x):\n    raise NotImplementedError\n",
}


@pytest.mark.parametrize("name", EMPTY_BODIES)
def test_a_python_body_that_stands_for_code(name: str) -> None:
    text, line = EMPTY_BODIES[name]
    assert of("a.py", text) == [(line, Rule.PLACEHOLDER)] or name == "an override with a to-do"
    assert (line, Rule.PLACEHOLDER) in of("a.py", text)


@pytest.mark.parametrize("name", INTENTIONAL_BODIES)
def test_a_python_body_that_is_intentionally_empty(name: str) -> None:
    rules = {rule for _, rule in of("a.py", INTENTIONAL_BODIES[name])}
    assert Rule.PLACEHOLDER not in rules


def test_empty_bodies_in_tests_and_stub_files_are_intentional() -> None:
    text = "def work(x):\n    pass\n"
    assert found({"tests/test_a.py": text, "a.pyi": text, "conftest.py": text}) == []


def test_a_python_method_that_another_file_overrides_is_intentional() -> None:
    base = "class Shape:\n    def area(self):\n        raise NotImplementedError\n"
    derived = "from shape import Shape\n\n\nclass Circle(Shape):\n    def area(self):\n        return 1\n"
    assert found({"shape.py": base, "circle.py": derived}) == []
    assert found({"shape.py": base}) == [("shape.py", 2, Rule.PLACEHOLDER)]


BODIES = {
    "a.js": 'export function f() {\n  throw new Error("Not implemented");\n}\n',
    "b.js": "export const f = () => {\n  // ...\n};\n",
    "c.ts": "export class A {\n  f(): void {\n    // TODO: later\n  }\n}\n",
    "d.tsx": "export const A = () => {\n  return <div>{/* ... */}</div>;\n};\n",
    "a.go": 'package a\n\nfunc F() {\n\tpanic("not implemented")\n}\n',
    "b.go": "package a\n\nfunc F() {\n\t// ...\n}\n",
    "a.rs": "pub fn f() -> u8 {\n    todo!()\n}\n",
    "b.rs": "pub fn f() -> u8 {\n    unimplemented!()\n}\n",
    "A.java": "class A {\n  int f() {\n"
    '    throw new UnsupportedOperationException("Not implemented yet");\n  }\n}\n',
    "a.cs": "class A {\n  void F() {\n    throw new NotImplementedException();\n  }\n}\n",
    "a.c": "int f(void) {\n  /* ... */\n}\n",
    "a.php": "<?php\nfunction f() {\n  throw new Exception('Not implemented');\n}\n",
    "a.html": "<!doctype html><html><body>\n<!-- ... -->\n</body></html>\n",
}
INTENTIONAL = {
    "a.js": 'export class BaseShape {\n  area() {\n    throw new Error("Not implemented");\n  }\n}\n',
    "b.js": "export class A {\n  f() {\n"
    '    throw new Error("Subclasses must implement f: not implemented");\n  }\n}\n',
    "c.js": "export const noop = () => {};\nexport const f = (...xs) => [...xs, 'todo'];\n",
    "d.js": "export function f(x) {\n  switch (x) {\n    default: {\n"
    "      throw new Error('not implemented');\n    }\n  }\n}\n",
    "e.js": "export function f() {\n  // nothing to release here\n}\n",
    "f.test.js": "const f = () => {\n  throw new Error('not implemented');\n};\n",
    "a.go": 'package a\n\nfunc F(xs ...int) {\n\tif len(xs) == 0 {\n\t\tpanic("not implemented")\n\t}\n}\n',
    "a.rs": "pub fn f(x: u8) -> u8 {\n    match x {\n        0 => 1,\n"
    "        _ => unimplemented!(),\n    }\n}\n",
    "b.rs": "#[cfg(test)]\nmod tests {\n    fn f() {\n        todo!()\n    }\n}\n",
    "A.java": "class A {\n  int f() {\n    throw new UnsupportedOperationException();\n  }\n}\n",
    "todo.ts": "// Todo items\nexport interface Todo { title: string; done: boolean }\n",
}


@pytest.mark.parametrize("path", BODIES)
def test_a_body_in_braces_that_stands_for_code(path: str) -> None:
    assert [rule for _, rule in of(path, BODIES[path])] == [Rule.PLACEHOLDER]


@pytest.mark.parametrize("path", INTENTIONAL)
def test_a_body_in_braces_that_is_intentional(path: str) -> None:
    assert of(path, INTENTIONAL[path]) == []


def test_a_javascript_method_of_a_class_that_is_extended_is_intentional() -> None:
    base = 'export class Shape {\n  area() {\n    throw new Error("not implemented");\n  }\n}\n'
    derived = (
        "import { Shape } from './shape.js';\nexport class Circle extends Shape {\n"
        "  area() { return 1; }\n}\n"
    )
    assert found({"shape.js": base, "circle.js": derived}) == []
    assert found({"shape.js": base}) == [("shape.js", 2, Rule.PLACEHOLDER)]
