"""The deadlines of one model call, and the timer that enforces them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from gencode.llm.errors import LLMTimeout

T = TypeVar("T")

LATER_SECONDS = 5.0
"""Calls that are sent within this time may arrive in any order."""
USAGE_SECONDS = 5.0  # how long a complete answer may still take to deliver its token counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """Times in seconds. Keep-alive comments and blank lines extend none of them, unlike a read timeout.

    connect      until the connection is established, TLS included
    first_token  from the request to the first text or reasoning; long, for models that hide their reasoning.
                 The timer starts only when the server has no earlier calls left to answer
    idle         between two chunks of text or reasoning
    total        the whole call; starts at the same time as first_token. Three attempts and their waits may
                 exceed the task's deadline
    """

    connect: float = 10.0
    first_token: float = 90.0
    idle: float = 60.0
    total: float = 420.0


class CallsInFlight:
    """The unfinished calls to one account, in the order in which they were sent.

    A server on one machine, such as llama.cpp's or Ollama, runs few calls concurrently and queues the others
    without sending a byte. A queued call is not late while an earlier one makes progress.
    """

    def __init__(self) -> None:
        self._timers: list[DeadlineTimer] = []

    def add(self, timer: DeadlineTimer) -> None:
        self._timers.append(timer)

    def remove(self, timer: DeadlineTimer) -> None:
        """Removes a call that has ended. Its end counts as progress for the calls queued behind it."""
        if timer not in self._timers:
            return
        self._timers.remove(timer)
        if timer.first_token is not None:
            for other in self._timers:
                other.observe(timer)

    def observe(self, waiting: DeadlineTimer) -> None:
        """Tells a call that waits for its first token about all calls that have received theirs."""
        for timer in self._timers:
            if timer.first_token is not None:
                waiting.observe(timer)


class DeadlineTimer:
    """Enforces the deadlines of one call. Close it after the call.

    Every read of a stream has a deadline, 100 times a second on each of many streams. One timer of the event
    loop, rescheduled only when it fires, serves all reads of a call: a cancel scope for each read took a
    quarter of all processor time. The timer cancels as asyncio.timeout does, and only during `wait`.

    first_token  seconds from the start to the first text or reasoning; None before it
    """

    def __init__(
        self,
        deadlines: Deadlines,
        clock: Callable[[], float] | None = None,
        in_flight: CallsInFlight | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._started = self._begun = self._last_progress = self._clock()
        self._is_overtaken = False
        self._total = deadlines.total
        self._idle = self._idle_allowed = deadlines.idle
        self._allowed = deadlines.first_token
        self._missing = "its first word"
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._expired = False
        self.first_token: float | None = None
        self._in_flight = in_flight or CallsInFlight()
        self._in_flight.add(self)

    @property
    def elapsed(self) -> float:
        return self._clock() - self._started

    async def wait(self, read: Callable[[], Awaitable[T]]) -> T:
        """The result of `read`. At the nearest deadline it is cancelled and LLMTimeout is raised."""
        left = self._left()
        if left <= 0:  # reads of buffered data never yield to the loop, so the timer would never fire
            raise self._timeout()
        self._arm(left)
        self._waiting = task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            return await read()
        except asyncio.CancelledError:
            if self._expired and task and task.uncancel() <= cancels:
                raise self._timeout() from None
            raise
        finally:
            self._waiting = None

    def progress(self) -> None:
        """Notes that text or reasoning has arrived."""
        if self.first_token is None:
            self.first_token = self.elapsed
        self._allowed, self._missing = self._idle_allowed, "its next word"
        self.resume()

    def resume(self) -> None:
        """Restart the idle deadline: the consumer of the stream paused, not the model."""
        self._last_progress = self._clock()

    def answer_complete(self) -> None:
        """Notes that the answer is complete; only the token counts are missing."""
        self._allowed = self._idle_allowed = min(self._idle, USAGE_SECONDS)
        self.resume()

    def answer_continues(self) -> None:
        """Notes that the answer was not complete after all: the idle deadline applies again."""
        self._allowed = self._idle_allowed = self._idle
        self.resume()

    def observe(self, other: DeadlineTimer) -> None:
        """Another call of the account makes progress. If the other call was sent earlier, this one may be
        queued behind it, so its deadline is extended. If it was sent later, this one is not queued."""
        if self.first_token is not None or other is self:
            return
        if other._started > self._started + LATER_SECONDS:
            self._is_overtaken = True
        elif not self._is_overtaken:
            self._begun = max(self._begun, other._last_progress)
            self._last_progress = max(self._last_progress, other._last_progress)

    def close(self) -> None:
        self._in_flight.remove(self)
        self._disarm()

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _left(self) -> float:
        """Seconds until the nearest deadline."""
        if self.first_token is None:
            self._in_flight.observe(self)
        step, call = self._last_progress + self._allowed, self._begun + self._total
        return (step if step < call else call) - self._clock()

    def _timeout(self) -> LLMTimeout:
        """The error of the nearest deadline, which has passed."""
        if self._last_progress + self._allowed < self._begun + self._total:
            return _timeout(f"{self._missing} did not come within {self._allowed:g} s")
        return _timeout(f"its answer was not over after {self._total:g} s")

    def _arm(self, left: float) -> None:
        """`_fire` rearms a timer that fires too early; only one that would fire too late is replaced."""
        when = self._loop.time() + left
        if self._timer is None or self._timer.when() > when:
            self._disarm()
            self._timer = self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        left = self._left()
        if left > 0:
            self._arm(left)
        else:
            self._expired = True
            self._waiting.cancel()


def _timeout(reason: str) -> LLMTimeout:
    return LLMTimeout(f"The model took too long: {reason}. Try again later or choose another model.")
