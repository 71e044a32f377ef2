"""What a task's model calls cost, and the budget that no call may pass."""

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
"""Low on purpose (English has about 4, code 3, Chinese 1.5): a budget must not be passed by a guess."""
MILLION = 1_000_000


class Price(BaseModel):
    """In the currency of the operator's choice, for a million tokens each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Decimal = Field(ge=0)
    completion: Decimal = Field(ge=0)
    cached: Decimal | None = Field(None, ge=0)
    """Of prompt tokens that the provider had in its cache; None: as any other."""

    def of(self, usage: Usage) -> Decimal:
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(usage.prompt - usage.cached, 0)
        return (fresh * self.prompt + usage.cached * cached + usage.completion * self.completion) / MILLION


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """None means no limit. `cost` is in the currency of the prices; `deadline` is a moment in UTC."""

    tokens: int | None = None
    cost: Decimal | None = None
    deadline: datetime | None = None


class BudgetTracker:
    """One task's account. Calls under way are counted at their worst, so that several at once cannot pass
    the budget together; one that would have to wait for them does."""

    def __init__(self, spent: Usage, budget: Budget, price: Price | None) -> None:
        self._spent = spent
        self._budget = budget
        self._price = price
        self._reserved = Usage()
        self._under_way = 0
        self._settled = anyio.Event()

    @asynccontextmanager
    async def reserve(self, request: ChatRequest) -> AsyncIterator[None]:
        """Around a call: puts aside what it may cost at worst. Raises BudgetExceeded before it is made."""
        worst = worst_case(request)
        while refusal := self._refusal(worst):
            if not self._under_way:
                raise refusal
            await self._settled.wait()
        self._reserved = total(self._reserved, worst)
        self._under_way += 1
        try:
            yield
        finally:
            self._reserved = _less(self._reserved, worst)
            self._under_way -= 1
            settled, self._settled = self._settled, anyio.Event()
            settled.set()

    @property
    def spent(self) -> Usage:
        return self._spent

    def add(self, usage: Usage) -> None:
        """A call that was answered."""
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

    def _refusal(self, worst: Usage) -> BudgetExceeded | None:
        after = total(self._spent, self._reserved, worst)
        budget, used = self._budget, self._spent.prompt + self._spent.completion
        if budget.deadline and now() >= budget.deadline:
            return BudgetExceeded("the request's deadline has passed; nothing more was asked of the model")
        if budget.tokens is not None and after.prompt + after.completion > budget.tokens:
            return BudgetExceeded(
                f"the next model call could pass max_tokens={budget.tokens} ({used} used); "
                "raise it, or ask for a smaller project"
            )
        return self._too_dear(after, budget.cost) if budget.cost is not None else None

    def _too_dear(self, after: Usage, most: Decimal) -> BudgetExceeded | None:
        if self._price is None:
            return BudgetExceeded("max_cost was given, but this model has no price: set it in PRICES")
        if self._price.of(after) <= most:
            return None
        used = cost_text(self._spent, self._price)
        return BudgetExceeded(
            f"the next model call could pass max_cost={most} ({used} used); "
            "raise it, or ask for a smaller project"
        )


def worst_case(request: ChatRequest) -> Usage:
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
