"""Deadlines of a model call, by a simulated clock or with short real deadlines."""

from __future__ import annotations

import anyio
import pytest

from gencode.llm.deadlines import USAGE_SECONDS, Deadlines, DeadlineTimer
from gencode.llm.errors import LLMTimeout


class Clock:
    """A clock that the test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def ready() -> str:
    return "ready"


async def is_in_time(timer: DeadlineTimer) -> bool:
    try:
        return await timer.wait(ready) == "ready"
    except LLMTimeout:
        return False


async def test_the_deadline_restarts_with_each_progress(clock: Clock) -> None:
    """The timer for the first token fires during the next wait, finds time left, and is rearmed."""
    timer = DeadlineTimer(Deadlines(first_token=0.05, idle=0.2), clock)
    for _ in range(3):
        await timer.wait(lambda: anyio.sleep(0.1))
        clock.seconds += 0.04
        timer.progress()

    async def hang() -> None:
        clock.seconds += 0.2
        await anyio.sleep_forever()

    with pytest.raises(LLMTimeout, match="next word"):
        await timer.wait(hang)
    timer.close()


async def test_a_cancellation_from_outside_is_not_a_timeout() -> None:
    with anyio.move_on_after(0.01) as scope:
        await DeadlineTimer(Deadlines(first_token=3600)).wait(anyio.sleep_forever)
    assert scope.cancelled_caught


async def test_a_read_that_hangs_is_cancelled() -> None:
    with pytest.raises(LLMTimeout, match="first word"):
        await DeadlineTimer(Deadlines(first_token=0.01)).wait(anyio.sleep_forever)


async def test_reads_that_never_block_meet_the_deadline_too(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(first_token=50), clock)
    clock.seconds = 49
    assert await is_in_time(timer)
    clock.seconds = 51
    assert not await is_in_time(timer)


async def test_the_idle_deadline_runs_from_the_last_progress(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(first_token=50, idle=20), clock)
    clock.seconds = 40
    timer.progress()
    clock.seconds = 59
    assert await is_in_time(timer)
    clock.seconds = 61
    assert not await is_in_time(timer)
    assert timer.first_token == pytest.approx(40, abs=1)


async def test_a_pause_of_the_consumer_does_not_count_as_idle(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20, total=1000), clock)
    timer.progress()
    clock.seconds = 500
    timer.resume()
    assert await is_in_time(timer)


async def test_progress_does_not_extend_the_total_deadline(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20, total=1000), clock)
    clock.seconds = 1001
    timer.progress()
    with pytest.raises(LLMTimeout, match="1000 s"):
        await timer.wait(ready)


async def test_after_a_complete_answer_the_wait_is_short_whatever_arrives(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20), clock)
    clock.seconds = 15
    timer.answer_complete()
    assert await is_in_time(timer)
    timer.progress()
    clock.seconds = 15 + USAGE_SECONDS + 1
    assert not await is_in_time(timer)
