"""The usage of a task's model calls, and the budget that no call may exceed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import anyio

from gencode.domain.task import now
from gencode.llm.errors import BudgetExceeded
from gencode.llm.model_route import EarlierModels
from gencode.llm.port import ChatRequest, Usage
from gencode.llm.prices import Price, cost_text
from gencode.llm.token_estimate import worst_case


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Limits of one task; None for no limit. `cost` is in the currency of the prices, `deadline` in UTC."""

    tokens: int | None = None
    cost: Decimal | None = None
    deadline: datetime | None = None


class BudgetTracker:
    """The usage of one task. Calls in progress count with their worst case, so that concurrent calls cannot
    exceed the budget together; a call that does not fit beside them waits until they end.

    A task so exceeds its budget by less than one call's worst case, and only if that was estimated too low.
    """

    def __init__(
        self, spent: Usage, budget: Budget, price: Price | None, earlier: EarlierModels | None = None
    ) -> None:
        """`spent`: all usage so far, that of earlier models included; `price`: of the present model."""
        self._spent = spent
        self._cost = _cost_so_far(spent, price, earlier)
        self._budget = budget
        self._price = price
        self._reserved = Usage()
        self._in_progress = 0
        self._released = anyio.Event()

    @asynccontextmanager
    async def reserve(self, call: ChatRequest | Usage) -> AsyncIterator[Usage]:
        """Reserves the worst case of a call within the context. Raises BudgetExceeded before the call.

        call  what is asked for; of a call that is no completion, its worst case

        The caller counts the usage of the call within the context, also if the call fails.
        """
        worst = call if isinstance(call, Usage) else worst_case(call)
        while error := self._exceeded(worst):
            if not self._in_progress:
                raise error
            await self._released.wait()
        self._reserved = total(self._reserved, worst)
        self._in_progress += 1
        try:
            yield worst
        finally:
            self._reserved = _less(self._reserved, worst)
            self._in_progress -= 1
            released, self._released = self._released, anyio.Event()
            released.set()

    @property
    def spent(self) -> Usage:
        """The usage of all calls that have ended."""
        return self._spent

    def cost(self, usage: Usage) -> Decimal | None:
        """The cost of a usage; None without a price."""
        return self._price.of(usage) if self._price else None

    def add(self, usage: Usage) -> None:
        """Count a call that has ended."""
        self._spent = total(self._spent, usage)
        cost = self.cost(usage)
        self._cost = None if self._cost is None or cost is None else self._cost + cost

    def change_model(self, model: str, price: Price | None) -> EarlierModels:
        """Another model answers from now on. Returns the account of those before it."""
        earlier = EarlierModels(model=model, usage=self._spent, cost=self._cost)
        self._price = price
        self._cost = None if price is None else self._cost
        return earlier

    def view(self) -> dict[str, Any]:
        """`{"prompt", "completion", "cached", "estimated", "cost"}`; the cost is None without a price."""
        spent = self._spent
        return {
            "prompt": spent.prompt,
            "completion": spent.completion,
            "cached": spent.cached,
            "estimated": spent.estimated,
            "cost": None if self._cost is None else f"{self._cost:.6f}",
        }

    def _exceeded(self, worst: Usage) -> BudgetExceeded | None:
        after = total(self._spent, self._reserved, worst)
        needed = worst.prompt + worst.completion
        budget, used = self._budget, self._spent.prompt + self._spent.completion
        if budget.deadline and now() >= budget.deadline:
            return BudgetExceeded("the request's deadline has passed; nothing more was asked of the model")
        if budget.tokens is not None and after.prompt + after.completion > budget.tokens:
            return BudgetExceeded(
                f"the next model call could pass max_tokens={budget.tokens} ({used} used, the call may need"
                f" {needed}); raise it to {used + needed} or more, or ask for a smaller project"
            )
        return self._cost_exceeded(worst, budget.cost) if budget.cost is not None else None

    def _cost_exceeded(self, worst: Usage, limit: Decimal) -> BudgetExceeded | None:
        if self._price is None or self._cost is None:
            return BudgetExceeded("max_cost was given, but this model has no price: set it in PRICES")
        if self._cost + self._price.of(total(self._reserved, worst)) <= limit:
            return None
        needed = cost_text(worst, self._price)
        return BudgetExceeded(
            f"the next model call could pass max_cost={limit} ({self._cost:.6f} used, the call may cost "
            f"{needed}); raise it, or ask for a smaller project"
        )


def _cost_so_far(spent: Usage, price: Price | None, earlier: EarlierModels | None) -> Decimal | None:
    if price is None:
        return None
    if earlier is None:
        return price.of(spent)
    return None if earlier.cost is None else earlier.cost + price.of(_less(spent, earlier.usage))


def total(*usages: Usage) -> Usage:
    """The sum of the usages; an estimate if one of them is estimated."""
    return Usage(
        prompt=sum(usage.prompt for usage in usages),
        completion=sum(usage.completion for usage in usages),
        cached=sum(usage.cached for usage in usages),
        estimated=any(usage.estimated for usage in usages),
    )


def _less(usage: Usage, other: Usage) -> Usage:
    return Usage(
        prompt=usage.prompt - other.prompt,
        completion=usage.completion - other.completion,
        cached=usage.cached - other.cached,
    )
