from __future__ import annotations

from gencode.codegen.limited_child import LimitedChild
from gencode.codegen.plan import Plan
from gencode.codegen.validation import Rule

PLAN = Plan.model_validate({"files": [{"path": "a.c"}, {"path": "a.py"}]})


async def test_a_text_that_exhausts_the_memory_ends_only_the_child() -> None:
    """Parsed as C, it makes the grammar ask for 20 GB."""
    child = LimitedChild()
    assert await child.check({"a.c": "a=>" * 32_000}, PLAN) == ()
    findings = await child.check({"a.py": "def f(:\n"}, PLAN)
    assert [finding.rule for finding in findings] == [Rule.SYNTAX]
    assert await child.signatures("a.py", "def f() -> int:\n    return 1\n") == ("def f() -> int",)
