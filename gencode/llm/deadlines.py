"""How long one model call may take, and the watch that keeps to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from gencode.llm.errors import LLMTimeout

T = TypeVar("T")

TAIL = 5.0  # seconds that an answer which is complete may still keep us waiting for its token counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """Seconds. Keep-alive comments and blank lines move none of them, as they would a read timeout.

    connect      to be connected, TLS included
    first_token  from the request to the first text or reasoning; models that hide their reasoning need long
    idle         between two pieces of text or reasoning
    total        the whole call; three of these plus their waits may exceed a task's own deadline
    """

    connect: float = 10.0
    first_token: float = 90.0
    idle: float = 60.0
    total: float = 420.0


class DeadlineTimer:
    """Measures one call; to be closed after it.

    Every read of a stream is guarded, 100 times a second on each of many streams, so the guard is one timer
    of the loop that is moved only when it fires: a cancel scope for each read cost a quarter of all time.
    It acts as asyncio.timeout does, and only while somebody waits in `wait`.

    first  seconds until the first piece of the answer came, once it has come
    """

    def __init__(self, deadlines: Deadlines, clock: Callable[[], float] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._started = self._since = self._clock()
        self._total = deadlines.total
        self._idle = deadlines.idle
        self._allowed = deadlines.first_token
        self._missing = "its first word"
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._expired = False
        self.first: float | None = None

    @property
    def elapsed(self) -> float:
        return self._clock() - self._started

    async def wait(self, step: Callable[[], Awaitable[T]]) -> T:
        """The result of `step`, which is cancelled (LLMTimeout) at the nearest deadline."""
        left, what = self._left()
        if left <= 0:  # buffered data could be read for ever without once meeting the timer
            raise _too_long(what)
        self._arm(left)
        self._waiting = task = asyncio.current_task()
        cancels = task.cancelling() if task else 0
        try:
            return await step()
        except asyncio.CancelledError:
            if self._expired and task and task.uncancel() <= cancels:
                raise _too_long(what) from None
            raise
        finally:
            self._waiting = None

    def progress(self) -> None:
        """Something of the answer came."""
        if self.first is None:
            self.first = self.elapsed
        self._allowed, self._missing = self._idle, "its next word"
        self.resume()

    def resume(self) -> None:
        """The reader is back; the pause was not the model's."""
        self._since = self._clock()

    def closing(self) -> None:
        """All that matters has come."""
        self._allowed = self._idle = min(self._idle, TAIL)
        self.resume()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _left(self) -> tuple[float, str]:
        now = self._clock()
        word, whole = self._since + self._allowed - now, self._started + self._total - now
        if word < whole:
            return word, f"{self._missing} did not come within {self._allowed:g} s"
        return whole, f"its answer was not over after {self._total:g} s"

    def _arm(self, left: float) -> None:
        """A timer that fires too early looks again; only one that would fire too late is replaced."""
        when = self._loop.time() + left
        if self._timer is None or self._timer.cancelled() or self._timer.when() > when:
            self.close()
            self._timer = self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        left, _ = self._left()
        if left > 0:
            self._arm(left)
        else:
            self._expired = True
            self._waiting.cancel()


def _too_long(what: str) -> LLMTimeout:
    return LLMTimeout(f"The model took too long: {what}. Try again later or choose another model.")
