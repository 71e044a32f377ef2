"""A task is deleted by its client: only when it is over and nothing of it is needed any more."""

from __future__ import annotations

import pytest

from gencode.domain.callback import Callback
from gencode.domain.errors import NotFound, StillWorking, StoreError
from gencode.engine.ports.pipeline import Emit
from gencode.engine.ports.store import IdempotencyKey, TaskQuery
from gencode.storage.memory import MemoryStore
from tests.unit.engine.rig import FaultyStore, Latch, NoAccess, Rig, Spelling, failing, new_task

PROMPT = {"prompt": "a word"}


async def test_nothing_of_a_deleted_task_is_left_but_its_usage() -> None:
    store = MemoryStore()
    rig = Rig(store=FaultyStore(store))
    key = IdempotencyKey(principal="alice", value="k", digest="d")
    async with rig.running() as service:
        task = await rig.finished(await service.submit(new_task(), PROMPT, key))
        await rig.idle()
        await service.delete(task)
        with pytest.raises(NotFound):
            await service.delete(task)
    assert await store.find(TaskQuery(id=task.id)) == []
    assert (await store.events(task.id), await store.checkpoints(task.id)) == ([], {})
    assert await store.request(task.id) == {}
    assert await store.find_by_key(key) is None
    assert [total.tasks for total in await store.usage_totals("alice")] == [1]


async def test_a_task_that_runs_or_waits_is_not_deleted() -> None:
    latch = Latch()
    rig = Rig(Spelling(w=latch), concurrency=1)
    async with rig.running() as service:
        running, waiting = await rig.submit(), await rig.submit()
        await latch.entered.wait()
        for task in (running, waiting):
            with pytest.raises(StillWorking, match="cancel it first"):
                await service.delete(await rig.task(task))
        latch.released.set()
        for task in (running, waiting):
            await service.delete(await rig.finished(task))
    assert await rig.store.inner.find(TaskQuery()) == []


async def test_a_retry_is_faster_than_a_deletion() -> None:
    latch = Latch()

    async def second_time(emit: Emit) -> None:
        if rig.pipeline.started["x"] == 1:
            raise NoAccess("no")
        await latch(emit)

    rig = Rig(Spelling(x=second_time))
    async with rig.running() as service:
        failed = await rig.finished(await rig.submit())
        await service.retry(failed)
        await latch.entered.wait()
        with pytest.raises(StillWorking):
            await service.delete(failed)
        latch.released.set()
        await rig.finished(failed, failed.sequence)


async def test_a_webhook_gets_all_events_first() -> None:
    rig = Rig(Spelling(w=failing(NoAccess("no"))))
    task = new_task()
    callback = Callback(
        task_id=task.id,
        url="https://example.com",
        kind="webhook",
        host="example.com",
    )
    async with rig.running() as service:
        await service.submit(task, PROMPT, None, callback)
        failed = await rig.finished(task)
        with pytest.raises(StillWorking, match="webhook"):
            await service.delete(failed)
    assert await rig.task(task) == failed


async def test_what_the_store_refuses_is_kept() -> None:
    rig = Rig()
    async with rig.running() as service:
        task = await rig.finished(await rig.submit())
        await rig.idle()
        rig.store.down = True
        with pytest.raises(StoreError):
            await service.delete(task)
    assert await rig.task(task) == task
