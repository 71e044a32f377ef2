"""One timer for all who want to be called again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import structlog

log = structlog.get_logger(__name__)

TURNS = 15
"""Callers are spread over so many turns of a round."""


class SharedTicker:
    """Calls each every `seconds`, the first time up to a turn earlier. It beats while `run` runs."""

    def __init__(self, seconds: float, turns: int = TURNS) -> None:
        self.seconds = seconds
        self._turns: list[set[Callable[[], object]]] = [set() for _ in range(turns)]
        self._now = 0

    async def run(self) -> None:
        while True:
            await anyio.sleep(self.seconds / len(self._turns))
            self._now = (self._now + 1) % len(self._turns)
            for call in list(self._turns[self._now]):
                try:
                    call()
                except Exception:
                    log.exception("a bug: what is said again and again could not be said")

    @contextmanager
    def calling(self, call: Callable[[], object]) -> Iterator[None]:
        """What `call` raises is logged: it must not end the others."""
        turn = self._turns[self._now]
        turn.add(call)
        try:
            yield
        finally:
            turn.remove(call)
