"""A queue inside one process. Its ids are lost with the process; the sweeper finds the tasks in the store."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import anyio

from gencode.engine.ports.fair_queue import Delivery, Handler, Undelivered
from gencode.queue.admission import check_place


class FairQueue:
    """See gencode.engine.ports.fair_queue.Queue.

    limit   most ids, reserved places included, see gencode.queue.admission
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._reserved: Counter[str] = Counter()
        self._principals: dict[str, str] = {}
        """Principals by task id."""
        self._since: dict[str, float] = {}
        """The reading of `clock` at the arrival of each task, by task id, in the order of arrival."""
        self._turns: OrderedDict[str, deque[str]] = OrderedDict()
        """Task ids by principal; the first principal is served next."""
        self._arrived = anyio.Event()

    def __len__(self) -> int:
        return len(self._principals)

    @property
    def longest_wait(self) -> float:
        """Seconds since the arrival of the id that has waited longest; 0 while none waits."""
        return self._clock() - next(iter(self._since.values())) if self._since else 0.0

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._principals

    @contextmanager
    def reserve(self, principal: str) -> Iterator[None]:
        own = len(self._turns.get(principal, ())) + self._reserved[principal]
        check_place(self._limit, len(self) + self._reserved.total(), own)
        self._reserved[principal] += 1
        try:
            yield
        finally:
            self._reserved[principal] -= 1
            if not self._reserved[principal]:
                del self._reserved[principal]

    def put(self, task_id: str, principal: str) -> None:
        if task_id not in self:
            self._of(task_id, principal).append(task_id)
            self._arrived.set()

    def put_first(self, task_id: str, principal: str) -> None:
        if task_id not in self:
            self._of(task_id, principal).appendleft(task_id)
            self._arrived.set()

    async def work(self, handler: Handler, concurrency: int) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(concurrency):
                group.start_soon(self._deliver, handler)

    async def _deliver(self, handler: Handler) -> None:
        """Undelivered needs no handling: the sweeper finds unfinished tasks."""
        while True:
            task_id = await self.take()
            with suppress(Undelivered):
                await handler(Delivery(task_id=task_id))

    async def is_alive(self, owner: str) -> bool:
        """There is no other process."""
        return False

    async def request_cancel(self, task_id: str) -> None: ...

    async def take(self) -> str:
        """The next id, once there is one."""
        while not self._turns:
            if self._arrived.is_set():
                self._arrived = anyio.Event()
            await self._arrived.wait()
        principal, waiting = self._turns.popitem(last=False)
        task_id = waiting.popleft()
        if waiting:
            self._turns[principal] = waiting
        del self._principals[task_id], self._since[task_id]
        return task_id

    def remove(self, task_id: str) -> bool:
        principal = self._principals.pop(task_id, None)
        if principal is None:
            return False
        del self._since[task_id]
        waiting = self._turns[principal]
        waiting.remove(task_id)
        if not waiting:
            del self._turns[principal]
        return True

    def _of(self, task_id: str, principal: str) -> deque[str]:
        self._principals[task_id], self._since[task_id] = principal, self._clock()
        return self._turns.setdefault(principal, deque())
