"""One timer for many periodic calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import structlog

log = structlog.get_logger(__name__)

SLOTS = 15
"""Parts of a period over which the calls are spread."""


class SharedTicker:
    """Calls each registered function every `seconds`, the first time up to a slot earlier, while `run`
    runs."""

    def __init__(self, seconds: float, slots: int = SLOTS) -> None:
        self.seconds = seconds
        self._slots: list[set[Callable[[], object]]] = [set() for _ in range(slots)]
        self._current = 0

    async def run(self) -> None:
        """Calls the callbacks, slot by slot, until cancelled."""
        while True:
            await anyio.sleep(self.seconds / len(self._slots))
            self._current = (self._current + 1) % len(self._slots)
            for call in list(self._slots[self._current]):
                try:
                    call()
                except Exception:
                    log.exception("a bug: a periodic call failed")

    @contextmanager
    def calling(self, call: Callable[[], object]) -> Iterator[None]:
        """Registers `call` within the context. Its exceptions are logged, and do not affect other calls."""
        slot = self._slots[self._current]
        slot.add(call)
        try:
            yield
        finally:
            slot.remove(call)
