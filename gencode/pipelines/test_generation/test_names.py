"""The tests of a file by name, in the languages that are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.codegen.test_code.reader import TestCodeReader
from gencode.pipelines.test_generation.frameworks import Language

MAX_TESTS = 200
_JAVASCRIPT = re.compile(
    r"""^[ \t]*(?:it|test)(?:\.each\([^\n]*\))?\(\s*(['"`])(.{1,300}?)\1""", re.MULTILINE
)
_GO = re.compile(r"^func (Test\w*)\(", re.MULTILINE)


async def tests_of(
    reader: TestCodeReader, path: str, text: str, language: Language
) -> Sequence[TestFunction]:
    """At most MAX_TESTS. Lines are known for Python only. Raises CheckFailed."""
    if language == "python":
        return (await reader.tests(path, text))[:MAX_TESTS]
    pattern, group = (_JAVASCRIPT, 2) if language == "javascript" else (_GO, 1)
    names = [found.group(group) for found in pattern.finditer(text)][:MAX_TESTS]
    return [TestFunction(name=name, first=0, last=0, text=name) for name in names]
