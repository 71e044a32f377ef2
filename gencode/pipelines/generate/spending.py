"""What a task's model calls cost, and the budget that no call may pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gencode.errors import BudgetExceeded
from gencode.provider import ChatRequest, Usage
from gencode.task import now

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


class Spending:
    """One task's account. Calls under way are counted at their worst, so that several at once cannot pass
    the budget together."""

    def __init__(self, spent: Usage, budget: Budget, price: Price | None) -> None:
        self._spent = spent
        self._budget = budget
        self._price = price
        self._reserved = Usage()

    def reserve(self, request: ChatRequest) -> Usage:
        """What the call may cost at worst, put aside. Raises BudgetExceeded before anything is spent."""
        worst = worst_case(request)
        after = total(self._spent, self._reserved, worst)
        self._check_tokens(after)
        self._check_cost(after)
        if self._budget.deadline and now() >= self._budget.deadline:
            raise BudgetExceeded("the request's deadline has passed; nothing more was asked of the model")
        self._reserved = total(self._reserved, worst)
        return worst

    def release(self, reserved: Usage) -> None:
        self._reserved = _less(self._reserved, reserved)

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

    def _check_tokens(self, after: Usage) -> None:
        most = self._budget.tokens
        if most is not None and after.prompt + after.completion > most:
            used = self._spent.prompt + self._spent.completion
            raise BudgetExceeded(
                f"the next model call could pass max_tokens={most} ({used} used); "
                "raise it, or ask for a smaller project"
            )

    def _check_cost(self, after: Usage) -> None:
        most = self._budget.cost
        if most is None:
            return
        if self._price is None:
            raise BudgetExceeded("max_cost was given, but this model has no price: set it in PRICES")
        if self._price.of(after) > most:
            raise BudgetExceeded(
                f"the next model call could pass max_cost={most} ({cost_text(self._spent, self._price)} used)"
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
