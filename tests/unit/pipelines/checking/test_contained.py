from __future__ import annotations

from gencode.pipelines.generate.artifacts import Plan
from gencode.pipelines.generate.checking import Rule
from gencode.pipelines.generate.checking.contained import Contained

PLAN = Plan.model_validate({"files": [{"path": "a.c"}, {"path": "a.py"}]})


async def test_a_text_that_eats_all_memory_ends_its_own_process_only() -> None:
    """Taken for C, it makes the grammar ask for 20 GB."""
    contained = Contained()
    assert await contained.check({"a.c": "a=>" * 32_000}, PLAN) == ()
    findings = await contained.check({"a.py": "def f(:\n"}, PLAN)
    assert [finding.rule for finding in findings] == [Rule.SYNTAX]
    assert await contained.signatures("a.py", "def f() -> int:\n    return 1\n") == ("def f() -> int",)
