"""Reads of whole projects: few at once, and none of one principal before those of others."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
import pytest

from gencode.domain.errors import RateLimited
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.checkpoint_reader import CheckpointReader
from gencode.http.fair_limiter import FairLimiter
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import a_task


class SlowStore(MemoryStore):
    """`checkpoints` returns when the test opens the gate of the task's principal."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()
        self.reading: list[str] = []
        self.blocked: set[str] = set()

    async def checkpoints(self, task_id: str) -> dict[str, str]:
        self.reading.append(task_id)
        if task_id in self.blocked:
            await self.gate.wait()
        return {}


async def test_many_reads_of_one_principal_hold_up_no_other() -> None:
    """Before, six downloads of one client took both places: another client waited until they ended."""
    store = SlowStore()
    reader = CheckpointReader(store, FairLimiter(2), FairLimiter(1))
    greedy, other = [a_task("greedy") for _ in range(6)], a_task("other")
    store.blocked = {task.id for task in greedy}
    async with anyio.create_task_group() as group:
        for task in greedy:
            group.start_soon(reader.read, task, count)
        await anyio.wait_all_tasks_blocked()
        assert await reader.read(other, count) == 0
        assert store.reading == [greedy[0].id, other.id]
        store.gate.set()
    assert store.reading == [greedy[0].id, other.id, *(task.id for task in greedy[1:])]


async def test_no_more_than_the_total_are_admitted_and_nothing_is_left_of_them() -> None:
    store, limiter = SlowStore(), FairLimiter(2)
    reader = CheckpointReader(store, limiter, FairLimiter(1))
    tasks: list[Task] = [a_task(f"principal-{n}") for n in range(5)]
    store.blocked = {task.id for task in tasks}
    async with anyio.create_task_group() as group:
        for task in tasks:
            group.start_soon(reader.read, task, count)
        await anyio.wait_all_tasks_blocked()
        assert store.reading == [task.id for task in tasks[:2]]
        assert all(task.principal.id in limiter._locks for task in tasks)
        store.gate.set()
    assert len(store.reading) == 5
    assert not any(task.principal.id in limiter._locks for task in tasks)


async def test_a_reader_that_is_cancelled_while_it_waits_takes_no_place() -> None:
    store = SlowStore()
    reader = CheckpointReader(store, FairLimiter(1), FairLimiter(1))
    first, second, third = a_task("a"), a_task("b"), a_task("c")
    store.blocked = {first.id}
    async with anyio.create_task_group() as group:
        group.start_soon(reader.read, first, count)
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0):
            await reader.read(second, count)
        store.gate.set()
        assert await reader.read(third, count) == 0


async def test_exports_hold_up_no_reads_of_the_same_principal() -> None:
    store = SlowStore()
    reader = CheckpointReader(store, FairLimiter(1), FairLimiter(1))
    archived, listed = a_task("a"), a_task("a")
    store.blocked = {archived.id}
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(reader.export, archived, count)
        await anyio.wait_all_tasks_blocked()
        assert await reader.read(listed, count) == 0
        store.gate.set()


def count(checkpoints: Mapping[str, str]) -> int:
    return len(checkpoints)


@pytest.mark.fault(118)
async def test_a_principal_that_asks_for_too_much_at_once_is_refused_and_others_are_not() -> None:
    """Each request that waits holds a connection and memory."""
    store = SlowStore()
    reader = CheckpointReader(store, FairLimiter(2, max_waiting=3), FairLimiter(1))
    tasks, other = [a_task("greedy") for _ in range(3)], a_task("other")
    store.blocked = {task.id for task in tasks}
    async with anyio.create_task_group() as group:
        for task in tasks:
            group.start_soon(reader.read, task, count)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RateLimited) as caught:
            await reader.read(tasks[0], count)
        assert caught.value.retry_after
        assert await reader.read(other, count) == 0
        store.gate.set()
    assert await reader.read(tasks[0], count) == 0


async def test_the_log_of_a_task_is_read_only_by_those_that_are_admitted() -> None:
    """A log may have many megabytes: reports read it outside of the limit before."""
    store = SlowStore()
    reader = CheckpointReader(store, FairLimiter(1), FairLimiter(1))
    first, second = a_task("greedy"), a_task("greedy")
    store.blocked = {first.id}
    logs: list[str] = []

    async def events(task_id: str, after: int = 0) -> list[Event]:
        logs.append(task_id)
        return []

    store.events = events  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:
        for task in (first, second):
            group.start_soon(reader.read_with_log, task, lambda log, found: len(log))
        await anyio.wait_all_tasks_blocked()
        assert logs == [first.id]
        store.gate.set()
    assert logs == [first.id, second.id]
