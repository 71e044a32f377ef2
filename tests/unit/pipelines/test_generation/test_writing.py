"""Groups are written several at a time, as many as the setting says, and delivered in their order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from gencode.llm.errors import BudgetExceeded
from gencode.pipelines.test_generation.artifacts import Given, TargetGroup, WrittenFile
from gencode.pipelines.test_generation.writing_tests import WritingTests


def group(number: int) -> TargetGroup:
    return TargetGroup(
        source=f"s{number}.py",
        language="python",
        framework="pytest",
        test_path=f"tests/test_s{number}.py",
        module=f"s{number}",
        functions=(),
    )


class Recorded(WritingTests):
    """The later groups end first."""

    def __init__(self, at_once: int, failing: int = -1) -> None:
        nothing: Any = SimpleNamespace()
        super().__init__(nothing, nothing, 100, at_once)
        self.failing = failing
        self.under_way = self.most = 0
        self.begun: list[str] = []

    async def _write(self, calls: Any, group: TargetGroup, given: Given) -> WrittenFile:
        self.begun.append(group.source)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(20 - len(self.begun)):
            await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        if group.source == f"s{self.failing}.py":
            raise BudgetExceeded("enough")
        return WrittenFile(group=group, text=group.source)


async def test_as_many_groups_as_allowed_are_written_at_once_and_their_order_stays() -> None:
    for at_once in (1, 3, 8):
        writing: Any = Recorded(at_once)
        files = await writing._written(None, [group(n) for n in range(6)], Given(files={}))
        assert [file.text for file in files] == [f"s{n}.py" for n in range(6)]
        assert writing.most == min(at_once, 6)


async def test_after_an_error_nothing_is_begun_and_what_is_under_way_ends() -> None:
    writing: Any = Recorded(2, failing=0)
    with pytest.raises(BudgetExceeded):
        await writing._written(None, [group(n) for n in range(6)], Given(files={}))
    assert (len(writing.begun) < 6, writing.under_way) == (True, 0)
