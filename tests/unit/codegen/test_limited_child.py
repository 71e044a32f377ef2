from __future__ import annotations

import pytest

from gencode.codegen import limited_child
from gencode.codegen.limited_child import LimitedChild
from gencode.codegen.plan import Plan
from gencode.codegen.validation import treesitter, validator
from gencode.codegen.validation.findings import Finding, Rule

PLAN = Plan.model_validate({"files": [{"path": "a.c"}, {"path": "a.py"}]})


def check_without_time_limit(files: dict[str, str], plan: str) -> tuple[Finding, ...]:
    """Runs in the child. A slow machine would reach the limits of processor time before that of memory."""
    treesitter.MAX_CPU_SECONDS = validator.MAX_CPU_SECONDS = float("inf")
    return limited_child._check(files, plan)


async def test_a_text_that_exhausts_the_memory_ends_only_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed as C, it makes the grammar ask for 20 GB."""
    monkeypatch.setattr(limited_child, "_check", check_without_time_limit)
    child = LimitedChild()
    assert await child.check({"a.c": "a=>" * 32_000}, PLAN) == ()
    findings = await child.check({"a.py": "def f(:\n"}, PLAN)
    assert [finding.rule for finding in findings] == [Rule.SYNTAX]
    assert await child.signatures("a.py", "def f() -> int:\n    return 1\n") == ("def f() -> int",)
