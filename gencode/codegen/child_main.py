"""The program of the child in which generated text is parsed (see `gencode.limited_child`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gencode.codegen.secrets_scan import rule_findings
from gencode.codegen.test_code.child_functions import TEST_CODE_FUNCTIONS
from gencode.codegen.validation.analyzer import signatures
from gencode.codegen.validation.expectation import expectations_from_json
from gencode.codegen.validation.function_ranges import function_ranges
from gencode.codegen.validation.validator import check
from gencode.limited_child.program import ChildLimits, Functions, Progress, serve
from gencode.limited_child.protocol import ChildRequest

LIMITS = ChildLimits(
    step_cpu_seconds=10,  # 256 KiB of code take 0.6 s; a parser gives up at 1 s
    cpu_seconds=30,
    cpu_seconds_per_character=1e-5,  # a million characters of code take 2 s
    memory=2**28,
    memory_per_character=24,  # 256 KiB of Python take 60 MB; a text is here several times
    max_memory=2**30,
)


def main() -> None:
    serve(_FUNCTIONS, LIMITS)


def _check(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    expectations = expectations_from_json(request.arguments["expectations"])
    unreadable = frozenset(request.arguments["unreadable"])
    return [asdict(finding) for finding in check(request.texts, expectations, unreadable, progress)]


def _signatures(request: ChildRequest, progress: Progress) -> list[str]:
    found: list[str] = []
    for step, (path, text) in enumerate(request.texts.items()):
        progress(step)
        found += signatures(path, text)
    return found[: request.arguments["most"]]


def _secrets(request: ChildRequest, progress: Progress) -> list[Mapping[str, Any]]:
    return [asdict(finding) for finding in rule_findings(request.texts, progress)]


def _functions(request: ChildRequest, progress: Progress) -> list[tuple[int, int]]:
    ((path, text),) = request.texts.items()
    progress(0)
    return function_ranges(path, text)


_FUNCTIONS: Functions = {
    "check": _check,
    "signatures": _signatures,
    "secrets": _secrets,
    "functions": _functions,
    **TEST_CODE_FUNCTIONS,
}
