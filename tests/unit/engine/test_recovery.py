from __future__ import annotations

from gencode.domain.task import Status
from gencode.engine import recovery
from gencode.engine.recovery import unfinished
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import a_task


async def test_all_that_is_not_over_comes_back_in_the_order_of_acceptance() -> None:
    store = MemoryStore()
    tasks = [a_task(status=status) for _ in range(3) for status in Status]
    for task in tasks:
        await store.create(task, [])
    assert await unfinished(store) == [task for task in tasks if not task.status.is_terminal]


async def test_more_than_a_page() -> None:
    store = MemoryStore()
    tasks = [a_task() for _ in range(recovery.PAGE * 2 + 1)]
    for task in tasks:
        await store.create(task, [])
    assert await unfinished(store) == tasks


async def test_an_empty_store_has_nothing() -> None:
    assert await unfinished(MemoryStore()) == []
