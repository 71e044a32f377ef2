from __future__ import annotations

from gencode.codegen.limited_child import LimitedChild
from gencode.codegen.plan import Plan
from gencode.codegen.validation import Rule

PLAN = Plan.model_validate({"files": [{"path": "a.c"}, {"path": "a.py"}]})


async def test_a_text_that_eats_all_memory_ends_its_own_process_only() -> None:
    """Taken for C, it makes the grammar ask for 20 GB."""
    contained = LimitedChild()
    assert await contained.check({"a.c": "a=>" * 32_000}, PLAN) == ()
    findings = await contained.check({"a.py": "def f(:\n"}, PLAN)
    assert [finding.rule for finding in findings] == [Rule.SYNTAX]
    assert await contained.signatures("a.py", "def f() -> int:\n    return 1\n") == ("def f() -> int",)
