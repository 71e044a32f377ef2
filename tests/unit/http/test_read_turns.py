"""One read of a client at a time, and never longer than a moment."""

from __future__ import annotations

import anyio
import pytest

from gencode.http.read_turns import ReadTurns

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_reads_of_a_client_take_turns_in_order_and_others_do_not_wait() -> None:
    turns, order = ReadTurns(max_wait=60), []

    async def read(number: int) -> None:
        turn = await turns.wait("a")
        order.append(number)
        await anyio.sleep(0)
        turn.end()

    first = await turns.wait("a")
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(read, number)
        await anyio.sleep(0)
        (await turns.wait("b")).end()
        assert order == []
        first.end()
        first.end()  # the response began, and it ended
    assert order == [0, 1, 2]
    (await turns.wait("a")).end()


async def test_a_read_goes_ahead_after_a_moment() -> None:
    turns = ReadTurns(max_wait=0)
    slow = await turns.wait("a")
    (await turns.wait("a")).end()
    slow.end()
    (await turns.wait("a")).end()


async def test_a_read_that_is_given_up_passes_the_turn_on() -> None:
    turns = ReadTurns(max_wait=60)
    first = await turns.wait("a")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await turns.wait("a")
    assert scope.cancelled_caught
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.wait, "a")
        await anyio.sleep(0)
        first.end()
