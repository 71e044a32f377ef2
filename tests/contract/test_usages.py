"""The promises of `gencode.engine.quota_usage.UsageStore`, checked on every implementation."""

from __future__ import annotations

from dataclasses import replace

from gencode.domain.task import State
from gencode.engine.quota_usage import TaskUsage
from tests.contract.test_retention import AnyStore, an_old_task, created, finished, store
from tests.unit.storage.samples import an_event

__all__ = ["store"]


async def test_the_newest_usage_of_each_task_is_read_in_pages(store: AnyStore) -> None:
    tasks = [await created(store, an_old_task(state=state)) for state in (State.SUCCEEDED, State.PAUSED)]
    await created(store, an_old_task(principal="bob"))
    for prompt in (1, 7):
        task = tasks[1]
        total = {"prompt": prompt, "completion": 2, "cached": 0, "cost": "0.5"}
        tasks[1] = replace(task, version=task.version + 1, sequence=task.sequence + 1)
        await store.commit(tasks[1], [an_event(task, prompt + 1, "usage", total=total)])
    first, second = sorted(tasks, key=lambda task: task.id)
    assert await store.task_usages("alice", second.id, 10) == []
    found = await store.task_usages("alice", "", 1) + await store.task_usages("alice", first.id, 10)
    assert [usage.id for usage in found] == [first.id, second.id]
    by_id = {usage.id: usage for usage in found}
    assert by_id[tasks[0].id].is_over
    assert by_id[tasks[0].id].usage.tasks == 1
    paused: TaskUsage = by_id[tasks[1].id]
    assert (paused.is_over, paused.usage.prompt_tokens, paused.usage.completion_tokens) == (False, 7, 2)
    assert (paused.usage.principal, paused.usage.model, paused.usage.cost) == ("alice", "m", "0.5")


async def test_totals_of_one_principal(store: AnyStore) -> None:
    for principal in ("alice", "bob"):
        await created(store, an_old_task(principal=principal))
    await store.delete_tasks(await finished(store))
    assert [total.principal for total in await store.usage_totals()] == ["alice", "bob"]
    assert [total.principal for total in await store.usage_totals("bob")] == ["bob"]
    assert await store.usage_totals("carol") == []
