"""Concurrency and pauses of an account."""

from __future__ import annotations

import anyio
import pytest

from gencode.llm.account_limiter import MAX_PAUSE, Account
from tests.servers.model_client import FakeTime


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def account(time: FakeTime) -> Account:
    return Account(2, clock=time.clock, sleep=time.sleep)


async def test_a_rate_limit_that_one_call_meets_holds_back_the_others(
    account: Account, time: FakeTime
) -> None:
    assert await account.rate_limited(30.0) == 30
    time.now += 10
    async with account.call():
        assert time.slept == [20]
    async with account.call():
        assert time.slept == [20], "the pause is over"


async def test_waits_that_nobody_tells_grow_until_a_call_is_answered(
    account: Account, time: FakeTime
) -> None:
    waits = []
    for _ in range(3):
        waits.append(await account.rate_limited(None))
        time.now += waits[-1]
    assert 20 <= waits[0] <= 25
    assert 40 <= waits[1] <= 50
    assert 60 <= waits[2] <= 75
    await account.answered()
    assert await account.rate_limited(None) <= 25


async def test_calls_that_meet_one_limit_together_wait_for_one_pause(account: Account) -> None:
    waits = [await account.rate_limited(None) for _ in range(8)]
    assert waits == pytest.approx([waits[0]] * 8)


async def test_a_wait_that_is_too_long_is_no_pause(account: Account) -> None:
    assert await account.rate_limited(MAX_PAUSE + 1) == MAX_PAUSE + 1
    assert account.pause == 0


async def test_more_calls_than_places_wait(account: Account) -> None:
    entered: list[int] = []
    release = anyio.Event()

    async def call(number: int) -> None:
        async with account.call():
            entered.append(number)
            await release.wait()

    async with anyio.create_task_group() as tg:
        for number in range(3):
            tg.start_soon(call, number)
        await anyio.wait_all_tasks_blocked()
        assert entered == [0, 1]
        release.set()
    assert entered == [0, 1, 2]
