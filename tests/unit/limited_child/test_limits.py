"""What ends a child, and what its caller is told of it."""

from __future__ import annotations

import pytest

from gencode.limited_child.pool import ChildPool
from gencode.limited_child.process import Cause, ChildFailed, LimitedChild
from gencode.limited_child.protocol import ChildRequest

PROGRAM = "tests.unit.limited_child.endless_program"


@pytest.mark.parametrize(
    ("function", "cause", "at"),
    [("calculate", Cause.TIME, "a"), ("collect", Cause.MEMORY, ""), ("fail", Cause.ERROR, "")],
)
async def test_the_end_of_a_child_has_a_cause_and_a_place(function: str, cause: Cause, at: str) -> None:
    child = await LimitedChild.start(PROGRAM)
    try:
        with pytest.raises(ChildFailed) as failed:
            await child.call(ChildRequest(function=function, texts={"a": "b"}, arguments={"key": "k"}))
    finally:
        await child.stop()
    assert (failed.value.cause, failed.value.at) == (cause, at)


async def test_texts_and_bytes_arrive_whole() -> None:
    request = ChildRequest(
        function="count", texts={"a": "\ud800需求", "b": ""}, data=bytes(range(256)) * 4096
    )
    child = await LimitedChild.start(PROGRAM)
    try:
        assert await child.call(request) == [2**20, 3, 0]
    finally:
        await child.stop()


@pytest.mark.parametrize("reused", [True, False])
async def test_a_child_serves_one_request_or_several(reused: bool) -> None:
    pool = ChildPool(PROGRAM, reused=reused)
    try:
        async with pool.lend(0) as first:
            pass
        async with pool.lend(0) as second:
            pass
        assert (first is second) == first.is_alive == reused
    finally:
        await pool.stop()
