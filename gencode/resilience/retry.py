"""The one retry layer: a few attempts, exponential back-off with jitter, by error class."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from gencode.domain.errors import Transient

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
Notice = Callable[[Transient, float], Awaitable[None]]
"""Told before each wait: what went wrong, and how many seconds will be waited."""


class Retry:
    """Calls again after Transient errors. The error of the last attempt is raised as it is.

    attempts   calls in all
    base, cap  seconds; the wait before attempt n+1 is random below min(cap, base * 2**n), from `base` up
    patience   seconds; who asks for a longer wait (Retry-After) is not waited for: fail at once, so that
               a task never sleeps through its own deadline
    sleep      replaced by tests
    """

    def __init__(
        self,
        attempts: int = 3,
        base: float = 1.0,
        cap: float = 20.0,
        patience: float = 120.0,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._attempts = attempts
        self._base = base
        self._backoff = wait_random_exponential(multiplier=base, max=cap)
        self._patience = patience
        self._sleep = sleep

    async def __call__(self, call: Callable[[], Awaitable[T]], notice: Notice | None = None) -> T:
        async def before_sleep(state: RetryCallState) -> None:
            error = _error(state)
            if notice and error and state.next_action:
                await notice(error, state.next_action.sleep)

        async def attempt() -> T:
            return await call()  # tenacity takes a lambda that returns an awaitable for a plain function

        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(self._worth_another),
            before_sleep=before_sleep,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(attempt)

    def _worth_another(self, error: BaseException) -> bool:
        return isinstance(error, Transient) and (error.retry_after or 0) <= self._patience

    def _wait(self, state: RetryCallState) -> float:
        """Our own back-off, or longer when the other side asked for it: Retry-After is a floor."""
        error = _error(state)
        asked = (error.retry_after or 0.0) if error else 0.0
        return max(asked, self._base, self._backoff(state))


def _error(state: RetryCallState) -> Transient | None:
    raised = state.outcome.exception() if state.outcome else None
    return raised if isinstance(raised, Transient) else None
