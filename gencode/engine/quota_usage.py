"""Measures how much of a quota a principal has used, from the tasks in the store.

A task counts for the day and the month of its submission, with all its later usage. Tokens are those of
prompts and of answers; the cost is that of models with a price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from gencode.engine.ports.retention_store import UsageTotal
from gencode.engine.quota import Period, Unit
from gencode.engine.task_ids import earliest_id

PAGE = 200
"""The number of tasks that are read from the store in one call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotaUse:
    """The use of a quota. `cost`: None if the cost of no task is known."""

    tasks: int = 0
    tokens: int = 0
    cost: Decimal | None = None

    def of(self, unit: Unit) -> Decimal:
        """The used amount of a unit."""
        amounts = {Unit.TASKS: self.tasks, Unit.TOKENS: self.tokens, Unit.COST: self.cost or 0}
        return Decimal(amounts[unit])

    def plus(self, usage: UsageTotal) -> QuotaUse:
        """The sum of this use and the usage of one task, or of deleted tasks."""
        cost = None if usage.cost is None else Decimal(usage.cost)
        return QuotaUse(
            tasks=self.tasks + usage.tasks,
            tokens=self.tokens + usage.prompt_tokens + usage.completion_tokens,
            cost=cost if self.cost is None else self.cost + (cost or 0),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskUsage:
    """The usage of a stored task so far, from its newest `usage` event. `is_over`: only a retry can change
    it."""

    id: str
    is_over: bool
    usage: UsageTotal


class UsageStore(Protocol):
    """The store's methods for quotas."""

    async def task_usages(self, principal: str, after: str, limit: int) -> list[TaskUsage]:
        """The usages of the principal's stored tasks, by id, from the first one after `after`."""
        ...

    async def usage_totals(self, principal: str | None = None) -> list[UsageTotal]:
        """The usage totals of the principal's deleted tasks; None: of all principals."""
        ...


def before_first(start: datetime) -> str:
    """A prefix that sorts before every id of this time or later, and after every earlier id."""
    return earliest_id(start)[:-1]


class UseSince:
    """The use of a principal's stored tasks that were submitted since `start`.

    A finished task is read once, unless an older one is unfinished, so that 10,000 tasks of a month do not
    slow down every further submission. Must be created anew after a retry, which changes a finished task.
    """

    def __init__(self, store: UsageStore, principal: str, start: datetime) -> None:
        self._store = store
        self._principal = principal
        self._after = before_first(start)
        self._summed = QuotaUse()

    async def current(self) -> QuotaUse:
        use, after, only_over = self._summed, self._after, True
        while page := await self._store.task_usages(self._principal, after, PAGE):
            after = page[-1].id
            for task in page:
                use, only_over = use.plus(task.usage), only_over and task.is_over
                if only_over:
                    self._after, self._summed = task.id, use
        return use


async def use_in(period: Period, start: datetime, since: UseSince, deleted: Iterable[UsageTotal]) -> QuotaUse:
    """The use in the period that begins at `start`. `deleted`: the totals of the principal's deleted tasks;
    they are known by month only, so they do not count for a day."""
    use = await since.current()
    for total in deleted:
        if period is Period.MONTH and total.month == f"{start:%Y-%m}":
            use = use.plus(total)
    return use


Uses = Mapping[Period, QuotaUse]
"""What a client has used."""


async def uses_of(store: UsageStore, clients: Iterable[str], at: datetime) -> dict[str, Uses]:
    """The use of the current day and month, by client; `at`: in UTC."""
    return {name: {period: await _use(store, name, period, at) for period in Period} for name in clients}


async def _use(store: UsageStore, client: str, period: Period, at: datetime) -> QuotaUse:
    start = period.start(at)
    return await use_in(period, start, UseSince(store, client, start), await store.usage_totals(client))
