"""What the campaign's clients know, and what they found wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from time import perf_counter

import anyio

from tests.campaigns.orders import Order

_PROGRESS = re.compile(rb'^event: (?:plan|usage|merged|repo)$|"status":"completed"', re.MULTILINE)
"""Messages that are stored together with a kept part, and the last one."""


class Board:
    """Shared by all clients of one campaign; single-threaded.

    life         of the service, from 0; the `last` one is not ended by a kill
    pending      orders whose clients have not been told yet that they were accepted
    accepted     task ids by order
    heard        the newest event id that anybody has got, by order
    progress     kept parts that subscribers have heard of, by order
    over         orders that are done, as their subscribers know
    first_event  seconds from the start of this life to the first message of its streams
    """

    def __init__(self) -> None:
        self.life = -1
        self.last = False
        self.pending: set[int] = set()
        self.accepted: dict[int, str] = {}
        self.heard: Counter[int] = Counter()
        self.progress: Counter[int] = Counter()
        self.over: set[int] = set()
        self.faults: list[str] = []
        self.first_event: float | None = None
        self._began = 0.0
        self._changed = anyio.Event()

    def begin(self, last: bool = False) -> None:
        self.life += 1
        self.last = last
        self.first_event = None
        self._began = perf_counter()
        self._tell()

    def accept(self, order: Order, task_id: str) -> None:
        first = self.accepted.setdefault(order.number, task_id)
        if first != task_id:
            self.faults.append(f"order {order.number} was accepted as two tasks, {first} and {task_id}")
        self.pending.discard(order.number)

    def hear(self, order: Order, id_: int, message: bytes) -> None:
        if self.first_event is None:
            self.first_event = perf_counter() - self._began
        self.heard[order.number] = max(self.heard[order.number], id_)
        if _PROGRESS.search(message):
            self.progress[order.number] += 1
            self._tell()

    def finish(self, order: Order) -> None:
        self.over.add(order.number)
        self._tell()

    async def next_life(self) -> None:
        """Returns at once in the last one."""
        life = self.life
        await self.until(lambda: self.life > life or self.last)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
