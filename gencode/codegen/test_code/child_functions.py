"""The functions of this package as the child's program calls them: from a request to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gencode.codegen.test_code.functions import UNREADABLE, named_functions
from gencode.codegen.test_code.mutants import control, mutants
from gencode.codegen.test_code.python_tests import test_functions, without
from gencode.codegen.test_code.syntax_mutants import syntax_control, syntax_mutants
from gencode.codegen.test_code.syntax_tests import syntax_tests, without_syntax_tests
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.parse_limits import ParseError
from gencode.limited_child.program import Functions, Progress
from gencode.limited_child.protocol import ChildRequest


def _only(request: ChildRequest, progress: Progress) -> tuple[str, str]:
    ((path, text),) = request.texts.items()
    progress(0)
    return path, text


def _named_functions(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    return [asdict(function) for function in named_functions(*_only(request, progress))]


def _mutants(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    path, text = _only(request, progress)
    ranges = [(first, last) for first, last in request.arguments["ranges"]]
    try:
        if language_of(path) != "python":
            found = syntax_mutants(path, text, ranges)
            return {"control": syntax_control(path, text), "mutants": [asdict(one) for one in found]}
        return {"control": control(text), "mutants": [asdict(one) for one in mutants(text, ranges)]}
    except (*UNREADABLE, ParseError):
        return {}


def _test_functions(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    path, text = _only(request, progress)
    try:
        found = test_functions(text) if language_of(path) == "python" else syntax_tests(path, text)
        return [asdict(test) for test in found]
    except (*UNREADABLE, ParseError):
        return []


def _without_tests(request: ChildRequest, progress: Progress) -> str:
    path, text = _only(request, progress)
    names = request.arguments["names"]
    return without(text, names) if language_of(path) == "python" else without_syntax_tests(path, text, names)


TEST_CODE_FUNCTIONS: Functions = {
    "named_functions": _named_functions,
    "mutants": _mutants,
    "test_functions": _test_functions,
    "without_tests": _without_tests,
}
