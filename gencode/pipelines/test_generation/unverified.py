"""Tests that are not run, and why."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.codegen.test_code.python_tests import TestFunction
from gencode.pipelines.test_generation.artifacts import Given, TargetGroup
from gencode.pipelines.test_generation.evidence import Evidence

OFF = "the sandbox is off"


class Unverified:
    """Implements Verifier."""

    async def __call__(
        self, given: Given, group: TargetGroup, text: str, tests: Sequence[TestFunction]
    ) -> Evidence:
        return Evidence(unverified=OFF)
