"""Deadlines of a model call, by a simulated clock or with short real deadlines."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from gencode.llm.deadlines import USAGE_SECONDS, CallsInFlight, Deadlines, DeadlineTimer
from gencode.llm.errors import LLMTimeout

Send = Callable[[], DeadlineTimer]


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


# --- a server that runs few calls at once -----------------------------------------------------------


@pytest.fixture
def queue(clock: Clock) -> Send:
    """Sends another call to one account."""
    in_flight = CallsInFlight()
    return lambda: DeadlineTimer(Deadlines(first_token=60, idle=60, total=100), clock, in_flight)


async def test_a_call_is_not_late_while_an_earlier_one_progresses(clock: Clock, queue: Send) -> None:
    earlier, waiting = queue(), queue()
    for clock.seconds in (50, 100, 150):
        earlier.progress()
    clock.seconds = 209
    assert await is_in_time(waiting)
    clock.seconds = 211
    assert not await is_in_time(waiting)


async def test_the_end_of_an_earlier_call_counts_as_progress(clock: Clock, queue: Send) -> None:
    earlier, waiting = queue(), queue()
    clock.seconds = 50
    earlier.progress()
    earlier.close()
    clock.seconds = 109
    assert await is_in_time(waiting)


async def test_a_call_that_later_ones_overtake_waits_for_nothing(clock: Clock, queue: Send) -> None:
    earlier, lost = queue(), queue()
    clock.seconds = 10
    later = queue()
    for clock.seconds in (20, 40, 61):
        earlier.progress()
        later.progress()
    later.close()
    assert not await is_in_time(lost)


async def test_calls_of_one_moment_may_be_answered_in_any_order(clock: Clock, queue: Send) -> None:
    waiting, other = queue(), queue()
    for clock.seconds in (50, 100):
        other.progress()
    assert await is_in_time(waiting)
