"""What counts in a quota, and how it is summed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gencode.domain.task import State, Task
from gencode.engine.ports.retention_store import UsageTotal
from gencode.engine.quota import Period, Quota, Unit
from gencode.engine.quota_usage import QuotaUse, TaskUsage, UseSince, before_first, use_in
from gencode.engine.task_ids import earliest_id
from gencode.storage.memory import MemoryStore
from tests.unit.storage.samples import REQUEST, a_task, an_event

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_first_moment_of_a_period_belongs_to_it() -> None:
    before, first = (earliest_id(START - timedelta(milliseconds=ms)) for ms in (1, 0))
    assert before < before_first(START) < first


class Counted(MemoryStore):
    """Counts the tasks that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        found = await super().task_usages(principal, after, limit)
        self.read += len(found)
        return found


async def stored(
    store: MemoryStore, state: State, tokens: int, minute: int, cost: str | None = "0.1"
) -> Task:
    at = START + timedelta(minutes=minute)
    task = replace(
        a_task(state=state, created_at=at, updated_at=at), id=earliest_id(at)[:-2] + f"{minute:02d}"
    )
    total = {"prompt": tokens - 1, "completion": 1, "cached": 0, "cost": cost}
    await store.create(task, REQUEST, [an_event(task, 1), an_event(task, 2, "usage", total=total)])
    return task


async def test_tasks_that_are_over_are_read_once() -> None:
    store = Counted()
    for minute in range(50):
        await stored(store, State.SUCCEEDED, 10, minute)
    since = UseSince(store, "alice", START)
    use = QuotaUse(tasks=50, tokens=500, cost=Decimal("5.0"))
    assert [await since.current() for _ in range(3)] == [use] * 3
    assert store.read == 50


async def test_what_unfinished_tasks_use_is_seen_each_time() -> None:
    store = Counted()
    over, running = await stored(store, State.FAILED, 10, 1), await stored(store, State.RUNNING, 10, 2)
    await stored(store, State.SUCCEEDED, 10, 3, cost=None)
    since = UseSince(store, "alice", START)
    assert await since.current() == QuotaUse(tasks=3, tokens=30, cost=Decimal("0.2"))
    more = {"prompt": 99, "completion": 1, "cost": "0.5"}
    ended = replace(running, version=1, sequence=3, state=State.SUCCEEDED)
    await store.commit(ended, [an_event(running, 3, "usage", total=more)])
    assert await since.current() == QuotaUse(tasks=3, tokens=120, cost=Decimal("0.6"))
    assert (await store.task_usages("alice", "", 1))[0].id == over.id


async def test_tasks_of_other_clients_and_of_earlier_periods_do_not_count() -> None:
    store = MemoryStore()
    await stored(store, State.SUCCEEDED, 10, 1)
    assert await UseSince(store, "bob", START).current() == QuotaUse()
    assert await UseSince(store, "alice", START + timedelta(minutes=2)).current() == QuotaUse()


async def test_deleted_tasks_count_for_their_month() -> None:
    fields: dict[str, Any] = {"principal": "alice", "kind": "generate", "model": "m", "cached_tokens": 0}
    deleted = [
        UsageTotal(month=month, tasks=2, prompt_tokens=5, completion_tokens=6, cost="1.5", **fields)
        for month in ("2026-10", "2026-11")
    ]
    since = UseSince(MemoryStore(), "alice", START)
    in_month = await use_in(Period.MONTH, START, since, deleted)
    assert in_month == QuotaUse(tasks=2, tokens=11, cost=Decimal("1.5"))
    assert await use_in(Period.DAY, START, since, deleted) == QuotaUse()


def test_the_used_amount_of_a_unit() -> None:
    use = QuotaUse(tasks=1, tokens=2, cost=Decimal("0.3"))
    assert [use.of(unit) for unit in Unit] == [1, 2, Decimal("0.3")]
    assert QuotaUse().of(Unit.COST) == 0
    assert str(Quota(amount=Decimal(5), unit=Unit.TASKS, period=Period.DAY)) == "5 tasks/day"
