"""Quotas, usage and the prompt cache of two processes: each has a store and slots of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest

from gencode.domain.errors import QuotaExceeded
from gencode.domain.task import State, Task
from gencode.engine.ports.store import TaskQuery
from gencode.engine.quota import Period, parse_quota
from gencode.engine.quota_usage import UseSince
from gencode.http.quota_enforcement import QuotaEnforcement
from gencode.storage.postgres.call_slots import SharedSlots
from gencode.storage.postgres.statement_runner import open_statement_runner
from gencode.storage.postgres.store import PostgresStore, open_postgres
from tests.unit.storage.postgres.stores import created, next_version
from tests.unit.storage.samples import an_event


@dataclass(frozen=True, kw_only=True)
class Process:
    store: PostgresStore
    slots: SharedSlots

    def quotas(self, *texts: str) -> QuotaEnforcement:
        quotas = [parse_quota(text) for text in texts]
        return QuotaEnforcement(
            store=self.store, quotas_of=lambda name: quotas, has_price=lambda model: True, locks=self.slots
        )


@pytest.fixture
async def processes(postgres: str) -> AsyncIterator[tuple[Process, Process]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            store = await stack.enter_async_context(open_postgres(postgres))
            statements = await stack.enter_async_context(open_statement_runner(postgres))
            made.append(Process(store=store, slots=SharedSlots(statements, lease=60)))
        yield made[0], made[1]


async def submit(process: Process, quotas: QuotaEnforcement, **fields: Any) -> Task:
    async with quotas.submission("alice", None):
        return await created(process.store, sequence=1, **fields)


async def uses(process: Process, task: Task, tokens: int, **fields: Any) -> Task:
    """The task after it has used so many tokens in all."""
    task = next_version(task, sequence=task.sequence + 1, **fields)
    total = {"prompt": tokens, "completion": 0, "cached": 0}
    await process.store.commit(task, [an_event(task, task.sequence, "usage", total=total)])
    return task


async def test_a_quota_holds_for_submissions_to_several_processes_at_the_same_time(
    processes: tuple[Process, Process],
) -> None:
    submissions = [
        submit(process, quotas)
        for process, quotas in [(process, process.quotas("3 tasks/day")) for process in processes]
        for _ in range(6)
    ]
    outcomes = await asyncio.gather(*submissions, return_exceptions=True)
    assert sum(isinstance(outcome, Task) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 9


async def test_what_a_retry_at_another_process_uses_counts(processes: tuple[Process, Process]) -> None:
    """This process has read the failed task, which it takes to be over for good."""
    one, other = processes
    here, there = one.quotas("100 tokens/day"), other.quotas("100 tokens/day")
    task = await uses(one, await submit(one, here, state=State.RUNNING), 40, state=State.FAILED)
    await submit(one, here)
    async with there.resumption(task):
        task = await uses(other, task, 40, state=State.RUNNING)
    await uses(other, task, 120, state=State.SUCCEEDED)
    with pytest.raises(QuotaExceeded, match="120 of 100 tokens/day"):
        await submit(one, here)


async def test_usage_is_read_from_the_store_that_all_processes_share(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    task = await uses(one, await created(one.store, sequence=1, state=State.RUNNING), 40)
    start = Period.DAY.start(task.created_at)
    assert (await UseSince(other.store, "alice", start).current()).tokens == 40
    await uses(other, task, 70)
    assert (await UseSince(one.store, "alice", start).current()).tokens == 70


async def test_a_task_of_one_process_answers_the_same_prompt_at_another(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    task = await created(one.store, state=State.RUNNING)
    await one.store.commit(
        next_version(replace(task, cache_key="k"), state=State.SUCCEEDED), [], {"plan": "{}"}
    )
    query = TaskQuery(principal="alice", states=frozenset({State.SUCCEEDED}), cache_key="k", limit=1)
    (found,) = await other.store.find(query)
    assert found.id == task.id
    assert await other.store.checkpoints(found.id) == {"plan": "{}"}


async def test_a_submission_waits_for_that_of_another_process(processes: tuple[Process, Process]) -> None:
    """It would not count the task that the other one is about to store."""
    one, other = processes
    here, there = one.quotas("1 tasks/day"), other.quotas("1 tasks/day")
    entered, refused = anyio.Event(), anyio.Event()

    async def submit_there() -> None:
        try:
            async with there.submission("alice", None):
                entered.set()
        except QuotaExceeded:
            refused.set()

    async with anyio.create_task_group() as group, here.submission("alice", None):
        group.start_soon(submit_there)
        with anyio.move_on_after(0.3):
            await entered.wait()
        await created(one.store)
    assert refused.is_set()
    assert not entered.is_set()
