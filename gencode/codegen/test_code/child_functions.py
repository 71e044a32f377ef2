"""The functions of this package as the child's program calls them: from a request to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gencode.codegen.test_code.functions import UNREADABLE, named_functions
from gencode.codegen.test_code.mutants import control, mutants
from gencode.codegen.test_code.python_tests import test_functions, without
from gencode.limited_child.program import Functions, Progress
from gencode.limited_child.protocol import ChildRequest


def _only(request: ChildRequest, progress: Progress) -> tuple[str, str]:
    ((path, text),) = request.texts.items()
    progress(0)
    return path, text


def _named_functions(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    return [asdict(function) for function in named_functions(*_only(request, progress))]


def _mutants(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    _, text = _only(request, progress)
    ranges = [(first, last) for first, last in request.arguments["ranges"]]
    try:
        return {"control": control(text), "mutants": [asdict(one) for one in mutants(text, ranges)]}
    except UNREADABLE:
        return {}


def _test_functions(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    _, text = _only(request, progress)
    try:
        return [asdict(test) for test in test_functions(text)]
    except UNREADABLE:
        return []


def _without_tests(request: ChildRequest, progress: Progress) -> str:
    _, text = _only(request, progress)
    return without(text, request.arguments["names"])


TEST_CODE_FUNCTIONS: Functions = {
    "named_functions": _named_functions,
    "mutants": _mutants,
    "test_functions": _test_functions,
    "without_tests": _without_tests,
}
