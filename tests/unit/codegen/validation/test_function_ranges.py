from __future__ import annotations

from collections.abc import Mapping

import pytest

from gencode.codegen.validation.function_ranges import function_ranges

SAMPLES: Mapping[str, tuple[str, list[tuple[int, int]]]] = {
    "a.py": ("x = 1\n\n@decorated\ndef f(a):\n    def g():\n        pass\n    return g\n", [(4, 7), (5, 6)]),
    "a.go": (
        "package a\nfunc f() {\n\tg(func() {\n\t})\n}\nfunc (s *S) m() {\n}\n",
        [(2, 5), (3, 4), (6, 7)],
    ),
    "A.java": ("class A {\n  A() {\n  }\n\n  int m() {\n    return 1;\n  }\n}\n", [(2, 3), (5, 7)]),
    "a.js": (
        "const f = (a) => {\n  a\n}\nclass A {\n  m() {\n  }\n}\nfunction g() {}\n",
        [(1, 3), (5, 6), (8, 8)],
    ),
    "a.ts": ("export async function f(a: number) {\n  return a\n}\n", [(1, 3)]),
    "a.tsx": ("export function F() {\n  return <a />\n}\n", [(1, 3)]),
    "a.c": ("int f(int a)\n{\n  return a;\n}\n", [(1, 4)]),
    "a.cpp": ("int A::f() {\n  return 1;\n}\n", [(1, 3)]),
    "a.cs": ("class A {\n  int F() {\n    return 1;\n  }\n}\n", [(2, 4)]),
    "a.php": ("<?php\nfunction f() {\n}\nclass A {\n  function m() {\n  }\n}\n", [(2, 3), (5, 6)]),
    "a.rb": ("class A\n  def m\n    1\n  end\n  def self.n\n  end\nend\n", [(2, 4), (5, 6)]),
    "a.rs": ("impl A {\n    fn m() -> u8 {\n        1\n    }\n}\n", [(2, 4)]),
    "a.sh": ("f() {\n  echo 1\n}\n", [(1, 3)]),
    "a.md": ("def f():\n    pass\n", []),
    "a.css": ("a { color: red }\n", []),
    "strange/lines.py": ("a = '\x0c\u2028\x85'\r\ndef f():\r\n    pass\r\n", [(2, 3)]),
    "broken.py": ("def f(:\n    pass\n\ndef g():\n    pass\n", [(4, 5)]),
    "long.py": ("x = 1\n" * 50_000, []),
    "deep.js": ("[" * 500 + "function f() {}", []),
}  # fmt: skip


@pytest.mark.parametrize("path", SAMPLES)
def test_the_lines_of_functions(path: str) -> None:
    text, ranges = SAMPLES[path]
    found = function_ranges(path, text)
    if path == "broken.py":  # what the grammar makes of the broken part may change
        assert set(ranges) <= set(found)
    else:
        assert found == ranges
