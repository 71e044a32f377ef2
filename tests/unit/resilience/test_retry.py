"""A few attempts, by error class; nobody sleeps here."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gencode.domain.errors import Transient
from gencode.llm.errors import LLMAuth, LLMRateLimit, LLMUnavailable
from gencode.resilience.retry import Retry

SOFT = LLMUnavailable("down")


class Script:
    """Raises what it is told, one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.waits: list[float] = []
        self.notices: list[tuple[str, float]] = []

    async def call(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def notice(self, error: Transient, wait: float) -> None:
        self.notices.append((error.code, wait))


async def test_a_first_success_needs_no_wait() -> None:
    script = Script()
    assert await Retry(sleep=script.sleep)(script.call, script.notice) == "answer"
    assert (script.calls, script.waits, script.notices) == (1, [], [])


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_later_attempt_may_succeed_and_each_wait_is_told_before(failures: int) -> None:
    script = Script(*[SOFT] * failures)
    assert await Retry(sleep=script.sleep)(script.call, script.notice) == "answer"
    assert script.calls == failures + 1
    assert script.notices == [("LLM_UNAVAILABLE", wait) for wait in script.waits]
    assert all(1 <= wait <= 20 for wait in script.waits)


async def test_the_last_error_comes_out_as_it_is_after_three_attempts() -> None:
    last = LLMUnavailable("the third")
    script = Script(SOFT, SOFT, last)
    with pytest.raises(LLMUnavailable) as caught:
        await Retry(sleep=script.sleep)(script.call, script.notice)
    assert caught.value is last
    assert (script.calls, len(script.waits)) == (3, 2)


@pytest.mark.parametrize("attempts", [1, 5])
async def test_the_number_of_attempts_is_a_setting(attempts: int) -> None:
    script = Script(*[SOFT] * 9)
    with pytest.raises(LLMUnavailable):
        await Retry(attempts=attempts, sleep=script.sleep)(script.call)
    assert script.calls == attempts


@pytest.mark.parametrize("error", [LLMAuth("no"), ValueError("bug")])
async def test_what_no_attempt_cures_is_tried_once(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(type(error)) as caught:
        await Retry(sleep=script.sleep)(script.call, script.notice)
    assert caught.value is error
    assert (script.calls, script.waits, script.notices) == (1, [], [])


async def test_what_the_other_side_asks_for_is_the_least_wait() -> None:
    script = Script(LLMRateLimit("slow", retry_after=77.0))
    await Retry(sleep=script.sleep)(script.call)
    assert script.waits == [77.0]


async def test_a_short_wish_does_not_shorten_our_own_wait() -> None:
    waits: list[float] = []
    for _ in range(50):
        script = Script(LLMRateLimit("slow", retry_after=0.001))
        await Retry(base=2.0, sleep=script.sleep)(script.call)
        waits += script.waits
    assert min(waits) >= 2.0


async def test_more_than_our_patience_fails_at_once() -> None:
    script = Script(LLMRateLimit("slow", retry_after=121.0))
    with pytest.raises(LLMRateLimit):
        await Retry(patience=120, sleep=script.sleep)(script.call, script.notice)
    assert (script.calls, script.waits, script.notices) == (1, [], [])


async def test_waits_grow_up_to_the_cap_and_differ() -> None:
    rounds: list[Sequence[float]] = []
    for _ in range(40):
        script = Script(*[SOFT] * 7)
        await Retry(attempts=8, base=1.0, cap=5.0, sleep=script.sleep)(script.call)
        rounds.append(script.waits)
    assert all(1.0 <= wait <= 5.0 for waits in rounds for wait in waits)
    assert max(waits[0] for waits in rounds) <= 2.0
    assert max(waits[6] for waits in rounds) > 2.0
    assert len({tuple(waits) for waits in rounds}) == len(rounds)


async def test_a_lambda_does_as_well() -> None:
    script = Script(SOFT)
    assert await Retry(sleep=script.sleep)(lambda: script.call()) == "answer"
    assert script.calls == 2
