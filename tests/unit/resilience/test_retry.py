"""Attempts by error class, without sleeping."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gencode.domain.errors import Transient
from gencode.llm.errors import LLMAuth, LLMRateLimit, LLMUnavailable
from gencode.resilience.retry import Retry

SOFT = LLMUnavailable("down")


class Script:
    """Raises these errors one after the other, then returns."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.waits: list[float] = []
        self.reports: list[tuple[str, float]] = []

    async def call(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def on_retry(self, error: Transient, wait: float) -> None:
        self.reports.append((error.code, wait))


async def test_a_first_success_needs_no_wait() -> None:
    script = Script()
    assert await Retry(sleep=script.sleep)(script.call, script.on_retry) == "answer"
    assert (script.calls, script.waits, script.reports) == (1, [], [])


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_later_attempt_can_succeed_and_each_wait_is_reported_before(failures: int) -> None:
    script = Script(*[SOFT] * failures)
    assert await Retry(sleep=script.sleep)(script.call, script.on_retry) == "answer"
    assert script.calls == failures + 1
    assert script.reports == [("LLM_UNAVAILABLE", wait) for wait in script.waits]
    assert all(1 <= wait <= 20 for wait in script.waits)


async def test_the_last_error_is_raised_unchanged_after_three_attempts() -> None:
    last = LLMUnavailable("the third")
    script = Script(SOFT, SOFT, last)
    with pytest.raises(LLMUnavailable) as caught:
        await Retry(sleep=script.sleep)(script.call, script.on_retry)
    assert caught.value is last
    assert (script.calls, len(script.waits)) == (3, 2)


@pytest.mark.parametrize("attempts", [1, 5])
async def test_the_number_of_attempts_can_be_set(attempts: int) -> None:
    script = Script(*[SOFT] * 9)
    with pytest.raises(LLMUnavailable):
        await Retry(attempts=attempts, sleep=script.sleep)(script.call)
    assert script.calls == attempts


@pytest.mark.parametrize("error", [LLMAuth("no"), ValueError("bug")])
async def test_a_permanent_error_is_raised_after_one_attempt(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(type(error)) as caught:
        await Retry(sleep=script.sleep)(script.call, script.on_retry)
    assert caught.value is error
    assert (script.calls, script.waits, script.reports) == (1, [], [])


async def test_retry_after_is_a_lower_bound_of_the_wait() -> None:
    script = Script(LLMRateLimit("slow", retry_after=77.0))
    await Retry(sleep=script.sleep)(script.call)
    assert script.waits == [77.0]


async def test_a_short_retry_after_does_not_shorten_the_back_off() -> None:
    waits: list[float] = []
    for _ in range(50):
        script = Script(LLMRateLimit("slow", retry_after=0.001))
        await Retry(base=2.0, sleep=script.sleep)(script.call)
        waits += script.waits
    assert min(waits) >= 2.0


async def test_a_retry_after_above_the_limit_is_raised_at_once() -> None:
    script = Script(LLMRateLimit("slow", retry_after=121.0))
    with pytest.raises(LLMRateLimit):
        await Retry(max_retry_after=120, sleep=script.sleep)(script.call, script.on_retry)
    assert (script.calls, script.waits, script.reports) == (1, [], [])


async def test_waits_grow_up_to_the_cap_and_are_random() -> None:
    rounds: list[Sequence[float]] = []
    for _ in range(40):
        script = Script(*[SOFT] * 7)
        await Retry(attempts=8, base=1.0, cap=5.0, sleep=script.sleep)(script.call)
        rounds.append(script.waits)
    assert all(1.0 <= wait <= 5.0 for waits in rounds for wait in waits)
    assert max(waits[0] for waits in rounds) <= 2.0
    assert max(waits[6] for waits in rounds) > 2.0
    assert len({tuple(waits) for waits in rounds}) == len(rounds)


async def test_a_lambda_is_called_like_a_coroutine_function() -> None:
    script = Script(SOFT)
    assert await Retry(sleep=script.sleep)(lambda: script.call()) == "answer"
    assert script.calls == 2
