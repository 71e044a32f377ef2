"""The cost of a task's model calls, and the budget that no call may exceed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import anyio
from pydantic import BaseModel, ConfigDict, Field

from gencode.domain.task import now
from gencode.llm.errors import BudgetExceeded
from gencode.llm.port import ChatRequest, Usage

CHARACTERS_PER_TOKEN = 3
"""Low on purpose (English has about 4, code 3, Chinese 1.5): an estimate must not exceed the budget."""
MILLION = 1_000_000


class Price(BaseModel):
    """Per million tokens, in the currency of the operator's choice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Decimal = Field(ge=0)
    completion: Decimal = Field(ge=0)
    cached: Decimal | None = Field(None, ge=0)
    """Of prompt tokens that the provider served from its cache; None: the price of other prompt tokens."""

    def of(self, usage: Usage) -> Decimal:
        """The cost of this usage."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(usage.prompt - usage.cached, 0)
        return (fresh * self.prompt + usage.cached * cached + usage.completion * self.completion) / MILLION


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Limits of one task; None: no limit. `cost` is in the currency of the prices; `deadline` is in UTC."""

    tokens: int | None = None
    cost: Decimal | None = None
    deadline: datetime | None = None


class BudgetTracker:
    """The usage of one task. Calls in progress count with their worst case, so that concurrent calls cannot
    exceed the budget together; a call that does not fit beside them waits until they end."""

    def __init__(self, spent: Usage, budget: Budget, price: Price | None) -> None:
        self._spent = spent
        self._budget = budget
        self._price = price
        self._reserved = Usage()
        self._in_progress = 0
        self._released = anyio.Event()

    @asynccontextmanager
    async def reserve(self, request: ChatRequest) -> AsyncIterator[None]:
        """Reserves the worst case of a call within the context. Raises BudgetExceeded before the call."""
        worst = worst_case(request)
        while error := self._exceeded(worst):
            if not self._in_progress:
                raise error
            await self._released.wait()
        self._reserved = total(self._reserved, worst)
        self._in_progress += 1
        try:
            yield
        finally:
            self._reserved = _less(self._reserved, worst)
            self._in_progress -= 1
            released, self._released = self._released, anyio.Event()
            released.set()

    @property
    def spent(self) -> Usage:
        """By all answered calls."""
        return self._spent

    def add(self, usage: Usage) -> None:
        """Count an answered call."""
        self._spent = total(self._spent, usage)

    def view(self) -> dict[str, Any]:
        """`{"prompt", "completion", "cached", "cost"}`; the cost is None while no price is known."""
        spent = self._spent
        return {
            "prompt": spent.prompt,
            "completion": spent.completion,
            "cached": spent.cached,
            "cost": cost_text(spent, self._price),
        }

    def _exceeded(self, worst: Usage) -> BudgetExceeded | None:
        after = total(self._spent, self._reserved, worst)
        budget, used = self._budget, self._spent.prompt + self._spent.completion
        if budget.deadline and now() >= budget.deadline:
            return BudgetExceeded("the request's deadline has passed; nothing more was asked of the model")
        if budget.tokens is not None and after.prompt + after.completion > budget.tokens:
            return BudgetExceeded(
                f"the next model call could pass max_tokens={budget.tokens} ({used} used); "
                "raise it, or ask for a smaller project"
            )
        return self._cost_exceeded(after, budget.cost) if budget.cost is not None else None

    def _cost_exceeded(self, after: Usage, limit: Decimal) -> BudgetExceeded | None:
        if self._price is None:
            return BudgetExceeded("max_cost was given, but this model has no price: set it in PRICES")
        if self._price.of(after) <= limit:
            return None
        used = cost_text(self._spent, self._price)
        return BudgetExceeded(
            f"the next model call could pass max_cost={limit} ({used} used); "
            "raise it, or ask for a smaller project"
        )


def worst_case(request: ChatRequest) -> Usage:
    """An upper estimate of a call's usage."""
    characters = sum(len(message.content) for message in request.messages) + len(request.prefix)
    return Usage(prompt=characters // CHARACTERS_PER_TOKEN + 1, completion=request.max_tokens)


def total(*usages: Usage) -> Usage:
    return Usage(
        prompt=sum(usage.prompt for usage in usages),
        completion=sum(usage.completion for usage in usages),
        cached=sum(usage.cached for usage in usages),
    )


def cost_text(usage: Usage, price: Price | None) -> str | None:
    """A decimal number as text: JSON numbers would round it."""
    return f"{price.of(usage):.6f}" if price else None


def price_of(prices: Mapping[str, Price], model: str) -> Price | None:
    """The price of `provider/model-id`, else of `provider`."""
    return prices.get(model) or prices.get(model.partition("/")[0])


def _less(usage: Usage, other: Usage) -> Usage:
    return Usage(
        prompt=usage.prompt - other.prompt,
        completion=usage.completion - other.completion,
        cached=usage.cached - other.cached,
    )
