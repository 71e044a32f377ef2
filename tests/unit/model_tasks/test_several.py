"""Several pieces of paid work are done at a time, as many as allowed, and their results keep the order."""

from __future__ import annotations

import anyio
import pytest

from gencode.llm.errors import BudgetExceeded
from gencode.model_tasks.several import do_each


class Recorded:
    """The later items end first."""

    def __init__(self, failing: int = -1) -> None:
        self.failing = failing
        self.under_way = self.most = 0
        self.begun: list[int] = []

    async def __call__(self, item: int) -> str:
        self.begun.append(item)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(20 - len(self.begun)):
            await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        if item == self.failing:
            raise BudgetExceeded("enough")
        return f"done {item}"


async def test_as_many_items_as_allowed_are_done_at_once_and_their_order_stays() -> None:
    for at_once in (1, 3, 8):
        work = Recorded()
        assert await do_each(range(6), work, at_once) == [f"done {n}" for n in range(6)]
        assert work.most == min(at_once, 6)


async def test_after_an_error_nothing_is_begun_and_what_is_under_way_ends() -> None:
    work = Recorded(failing=0)
    with pytest.raises(BudgetExceeded):
        await do_each(range(6), work, 2)
    assert (len(work.begun) < 6, work.under_way) == (True, 0)
