from __future__ import annotations

import anyio
import pytest

from gencode.llm.deadlines import USAGE_SECONDS, Deadlines, DeadlineTimer
from gencode.llm.errors import LLMTimeout


class Clock:
    """A clock that the test moves."""

    ahead = 0.0

    def __call__(self) -> float:
        return self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def ready() -> str:
    return "it"


async def passes(timer: DeadlineTimer) -> bool:
    try:
        return await timer.wait(ready) == "it"
    except LLMTimeout:
        return False


async def test_a_deadline_that_was_moved_is_measured_from_its_new_start(clock: Clock) -> None:
    """The timer of the first token fires during the next wait, finds time left, and is set again."""
    timer = DeadlineTimer(Deadlines(first_token=0.05, idle=0.2), clock)
    for _ in range(3):
        await timer.wait(lambda: anyio.sleep(0.1))
        clock.ahead += 0.04
        timer.progress()

    async def step() -> None:
        clock.ahead += 0.2
        await anyio.sleep_forever()

    with pytest.raises(LLMTimeout, match="next word"):
        await timer.wait(step)
    timer.close()


async def test_a_cancellation_from_outside_is_not_a_timeout() -> None:
    with anyio.move_on_after(0.01) as scope:
        await DeadlineTimer(Deadlines(first_token=3600)).wait(anyio.sleep_forever)
    assert scope.cancelled_caught


async def test_a_step_that_hangs_is_cancelled() -> None:
    with pytest.raises(LLMTimeout, match="first word"):
        await DeadlineTimer(Deadlines(first_token=0.01)).wait(anyio.sleep_forever)


async def test_steps_that_never_wait_meet_the_deadline_too(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(first_token=50), clock)
    clock.ahead = 49
    assert await passes(timer)
    clock.ahead = 51
    assert not await passes(timer)


async def test_idle_runs_from_the_last_progress(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(first_token=50, idle=20), clock)
    clock.ahead = 40
    timer.progress()
    clock.ahead = 59
    assert await passes(timer)
    clock.ahead = 61
    assert not await passes(timer)
    assert timer.first_token == pytest.approx(40, abs=1)


async def test_a_pause_of_the_reader_is_not_idleness(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20, total=1000), clock)
    timer.progress()
    clock.ahead = 500
    timer.resume()
    assert await passes(timer)


async def test_the_total_deadline_is_never_moved(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20, total=1000), clock)
    clock.ahead = 1001
    timer.progress()
    with pytest.raises(LLMTimeout, match="1000 s"):
        await timer.wait(ready)


async def test_after_a_complete_answer_the_wait_is_short_whatever_comes(clock: Clock) -> None:
    timer = DeadlineTimer(Deadlines(idle=20), clock)
    clock.ahead = 15
    timer.answer_complete()
    assert await passes(timer)
    timer.progress()
    clock.ahead = 15 + USAGE_SECONDS + 1
    assert not await passes(timer)
