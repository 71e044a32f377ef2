"""What the clients of a campaign have observed so far, and the faults that they found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from time import perf_counter

import anyio

from tests.campaigns.orders import Order

_CHECKPOINT = re.compile(rb'^event: (?:plan|usage|merged|repo)$|"status":"completed"', re.MULTILINE)
"""Messages that are stored in one transaction with a checkpoint, and the last one."""


class Observations:
    """Shared by all clients of one campaign; single-threaded.

    incarnation       the number of the service's process, from 0; the `is_last` one is not killed
    pending           orders whose submission has not been answered yet
    accepted          task ids by order
    newest_event      the highest event id that any subscriber received, by order
    checkpoints_seen  how many messages about checkpoints subscribers received, by order
    finished          orders whose subscribers have received everything
    first_event       seconds from the start of this incarnation to the first message of its streams
    """

    def __init__(self) -> None:
        self.incarnation = -1
        self.is_last = False
        self.pending: set[int] = set()
        self.accepted: dict[int, str] = {}
        self.newest_event: Counter[int] = Counter()
        self.checkpoints_seen: Counter[int] = Counter()
        self.finished: set[int] = set()
        self.faults: list[str] = []
        self.first_event: float | None = None
        self._began = 0.0
        self._changed = anyio.Event()

    def begin(self, is_last: bool = False) -> None:
        """The next incarnation starts."""
        self.incarnation += 1
        self.is_last = is_last
        self.first_event = None
        self._began = perf_counter()
        self._notify()

    def record_accepted(self, order: Order, task_id: str) -> None:
        first = self.accepted.setdefault(order.number, task_id)
        if first != task_id:
            self.faults.append(f"order {order.number} was accepted as two tasks, {first} and {task_id}")
        self.pending.discard(order.number)

    def record_event(self, order: Order, id_: int, message: bytes) -> None:
        if self.first_event is None:
            self.first_event = perf_counter() - self._began
        self.newest_event[order.number] = max(self.newest_event[order.number], id_)
        if _CHECKPOINT.search(message):
            self.checkpoints_seen[order.number] += 1
            self._notify()

    def record_finished(self, order: Order) -> None:
        self.finished.add(order.number)
        self._notify()

    async def next_incarnation(self) -> None:
        """Returns at once in the last one."""
        incarnation = self.incarnation
        await self.wait_until(lambda: self.incarnation > incarnation or self.is_last)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
