"""The only retry layer: a few attempts with exponential back-off and jitter, for Transient errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from gencode.domain.errors import Transient

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
OnRetry = Callable[[Transient, float], Awaitable[None]]
"""Called before each wait, with the error and the seconds to wait."""


class Retry:
    """Repeats a call after Transient errors. The error of the last attempt is raised unchanged.

    attempts         calls in all
    base, cap        seconds; the wait before attempt n+1 is random below min(cap, base * 2**n), and `base` at
                     least
    max_retry_after  seconds; an error that asks for a longer wait (Retry-After) is raised at once, so that
                     a wait cannot outlast the task's deadline
    sleep            replaced by tests
    """

    def __init__(
        self,
        attempts: int = 3,
        base: float = 1.0,
        cap: float = 20.0,
        max_retry_after: float = 120.0,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._attempts = attempts
        self._base = base
        self._backoff = wait_random_exponential(multiplier=base, max=cap)
        self._max_retry_after = max_retry_after
        self._sleep = sleep

    async def __call__(self, call: Callable[[], Awaitable[T]], on_retry: OnRetry | None = None) -> T:
        """The result of the first successful attempt."""

        async def before_sleep(state: RetryCallState) -> None:
            error = _error(state)
            if on_retry and error and state.next_action:
                await on_retry(error, state.next_action.sleep)

        async def attempt() -> T:
            return await call()  # tenacity mistakes a lambda that returns an awaitable for a plain function

        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(self._is_retryable),
            before_sleep=before_sleep,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(attempt)

    def _is_retryable(self, error: BaseException) -> bool:
        return isinstance(error, Transient) and (error.retry_after or 0) <= self._max_retry_after

    def _wait(self, state: RetryCallState) -> float:
        """The back-off, or Retry-After if that is longer."""
        error = _error(state)
        retry_after = (error.retry_after or 0.0) if error else 0.0
        return max(retry_after, self._base, self._backoff(state))


def _error(state: RetryCallState) -> Transient | None:
    raised = state.outcome.exception() if state.outcome else None
    return raised if isinstance(raised, Transient) else None
