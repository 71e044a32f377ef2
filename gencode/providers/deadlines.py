"""How long one model call may take, and the watch that keeps to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from gencode.errors import LLMTimeout

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


class Watch:
    """Measures one call. Cancel scopes live inside `wait` only: one held across a generator's yield would
    cancel whoever happens to run then.

    first  seconds until the first piece of the answer came, once it has come
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._started = self._since = anyio.current_time()
        self._total = deadlines.total
        self._idle = deadlines.idle
        self._allowed = deadlines.first_token
        self._missing = "its first word"
        self.first: float | None = None

    @property
    def elapsed(self) -> float:
        return anyio.current_time() - self._started

    async def wait(self, step: Callable[[], Awaitable[T]]) -> T:
        """The result of `step`, which is cancelled (LLMTimeout) at the nearest deadline."""
        left, what = self._left()
        if left > 0:  # else buffered data could be read for ever without once meeting the scope
            with anyio.move_on_after(left):
                return await step()
        raise LLMTimeout(f"The model took too long: {what}. Try again later or choose another model.")

    def progress(self) -> None:
        """Something of the answer came."""
        if self.first is None:
            self.first = self.elapsed
        self._allowed, self._missing = self._idle, "its next word"
        self.resume()

    def resume(self) -> None:
        """The reader is back; the pause was not the model's."""
        self._since = anyio.current_time()

    def closing(self) -> None:
        """All that matters has come."""
        self._allowed = self._idle = min(self._idle, TAIL)
        self.resume()

    def _left(self) -> tuple[float, str]:
        now = anyio.current_time()
        return min(
            (self._since + self._allowed - now, f"{self._missing} did not come within {self._allowed:g} s"),
            (self._started + self._total - now, f"its answer was not over after {self._total:g} s"),
        )
