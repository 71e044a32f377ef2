"""The contract of `gencode.resilience.call_slots.CallSlots`, for each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from gencode.resilience.call_slots import SlotFactory, account_name, local_slots
from gencode.storage.postgres.call_slots import SharedSlots
from gencode.storage.postgres.statement_runner import open_statement_runner
from gencode.storage.postgres.store import open_postgres

SHORT = (0.05, 0.2, 0.8)
LONG = (50.0, 60.0)


@pytest.fixture(params=["in process", "postgresql"])
async def slots(request: pytest.FixtureRequest) -> AsyncIterator[SlotFactory]:
    if request.param == "in process":
        yield local_slots
        return
    dsn = request.getfixturevalue("postgres")
    async with open_postgres(dsn), open_statement_runner(dsn) as statements:
        yield SharedSlots(statements, lease=60).slots


async def test_more_calls_than_slots_wait(slots: SlotFactory) -> None:
    account, held = slots("a", 2), [0]

    async def call() -> None:
        async with account.hold():
            held[0] += 1
            most.append(held[0])
            await anyio.sleep(0.01)
            held[0] -= 1

    most: list[int] = []
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(call)
    assert len(most) == 8
    assert max(most) <= 2


async def test_accounts_do_not_wait_for_each_other(slots: SlotFactory) -> None:
    async with slots("a", 1).hold(), slots("b", 1).hold():
        pass


async def test_a_call_that_failed_gives_its_slot_back(slots: SlotFactory) -> None:
    account = slots("a", 1)
    with pytest.raises(ValueError, match="it failed"):
        async with account.hold():
            raise ValueError("it failed")
    async with account.hold():
        pass


async def test_a_call_that_was_cancelled_while_it_waited_takes_no_slot(slots: SlotFactory) -> None:
    account = slots("a", 1)
    async with anyio.create_task_group() as group:
        async with account.hold():
            with anyio.move_on_after(0.2) as waited:
                async with account.hold():
                    raise AssertionError("there is one slot")
            assert waited.cancelled_caught
            group.start_soon(_hold, account.hold())
        async with account.hold():
            pass


async def _hold(slot: object) -> None:
    async with slot:  # type: ignore[attr-defined]
        pass


async def test_calls_are_apart(slots: SlotFactory) -> None:
    account = slots("a", 1, 0.3)
    async with account.hold():
        pass
    begin = anyio.current_time()
    async with account.hold():
        pass
    assert anyio.current_time() - begin > 0.25


async def test_a_rate_limit_pauses_all_calls(slots: SlotFactory) -> None:
    account = slots("a", 2)
    assert await account.rate_limited(50.0, LONG, 120) == 50
    assert 40 < account.pause <= 50
    with anyio.move_on_after(0.1) as waited:
        async with account.hold():
            raise AssertionError("the account is paused")
    assert waited.cancelled_caught


async def test_limits_that_are_met_together_are_one_pause(slots: SlotFactory) -> None:
    account = slots("a", 2)
    waits = [await account.rate_limited(None, LONG, 120) for _ in range(3)]
    assert waits == pytest.approx([50, 50, 50], abs=5)


async def test_the_longest_wait_that_a_server_asks_for_counts(slots: SlotFactory) -> None:
    account = slots("a", 2)
    for told in (10.0, 50.0, 20.0):
        assert await account.rate_limited(told, LONG, 120) == told
    assert 40 < account.pause <= 50


async def test_pauses_in_a_row_grow_until_a_call_is_answered(slots: SlotFactory) -> None:
    account, waits = slots("a", 2), []
    for _ in range(3):
        waits.append(await account.rate_limited(None, SHORT, 120))
        async with account.hold():  # after the pause
            pass
    assert waits == pytest.approx(SHORT, abs=0.04)
    await account.answered()
    assert await account.rate_limited(None, SHORT, 120) == pytest.approx(0.05, abs=0.04)


async def test_a_wait_that_is_too_long_is_no_pause(slots: SlotFactory) -> None:
    account = slots("a", 2)
    assert await account.rate_limited(121.0, LONG, 120) == 121
    assert account.pause == 0
    async with account.hold():
        pass


def test_the_name_of_an_account_does_not_tell_its_key() -> None:
    name = account_name("git", "https://api.github.com", "secret-token")
    assert name.startswith("git ")
    assert "secret" not in name
    assert name != account_name("git", "https://api.github.com", "another-token")
