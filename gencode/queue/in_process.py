"""Tasks that wait for a free place: bounded, and fair between clients."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from gencode.domain.errors import QueueFull
from gencode.domain.task import Task


class FairQueue:
    """First come, first served within a client; clients take turns, so that a flood delays only its own."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._reserved = 0
        self._turns: OrderedDict[str, deque[Task]] = OrderedDict()
        self._arrived = anyio.Event()

    def __len__(self) -> int:
        return sum(len(tasks) for tasks in self._turns.values())

    @contextmanager
    def reserve(self) -> Iterator[None]:
        """Hold a place while its task is being stored. Raises QueueFull."""
        if len(self) + self._reserved >= self._limit:
            raise QueueFull(f"{self._limit} tasks are waiting already; try again later", retry_after=10)
        self._reserved += 1
        try:
            yield
        finally:
            self._reserved -= 1

    def put(self, task: Task) -> None:
        self._turns.setdefault(task.client, deque()).append(task)
        self._wake()

    def put_back(self, task: Task) -> None:
        """Where it was: in front of its client's other tasks."""
        self._turns.setdefault(task.client, deque()).appendleft(task)
        self._wake()

    async def take(self) -> Task:
        """The next task, once there is one."""
        while not self._turns:
            await self._arrived.wait()
        client, tasks = self._turns.popitem(last=False)
        task = tasks.popleft()
        if tasks:
            self._turns[client] = tasks
        return task

    def remove(self, task_id: str) -> Task | None:
        """Take a task out of the line before its turn; None if it is not in it."""
        for client, tasks in self._turns.items():
            for task in tasks:
                if task.id == task_id:
                    tasks.remove(task)
                    if not tasks:
                        del self._turns[client]
                    return task
        return None

    def _wake(self) -> None:
        arrived, self._arrived = self._arrived, anyio.Event()
        arrived.set()
