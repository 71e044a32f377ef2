"""Prices of models, as the setting PRICES gives them, and the cost of usage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from gencode.llm.port import Usage

MILLION = 1_000_000


class Price(BaseModel):
    """Per million tokens, in the currency of the operator's choice."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    prompt: Decimal = Field(ge=0)
    completion: Decimal = Field(ge=0)
    cached: Decimal | None = Field(None, ge=0)
    """The price of prompt tokens that the provider served from its cache; None for the price of other prompt
    tokens."""

    def of(self, usage: Usage) -> Decimal:
        """The cost of this usage."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(usage.prompt - usage.cached, 0)
        return (fresh * self.prompt + usage.cached * cached + usage.completion * self.completion) / MILLION


FREE = Price(prompt=Decimal(0), completion=Decimal(0))
Prices = Mapping[str, Price]
"""Prices by the name of a provider, by the id of a model, or by NAME/ID."""


def price_of(prices: Prices, model: str) -> Price | None:
    """The price of the model NAME/ID: the entry for NAME/ID, else the one for the id, else the one for the
    name."""
    name, _, model_id = model.partition("/")
    return next((prices[key] for key in (model, model_id, name) if key in prices), None)


def unknown_names(prices: Prices, models: Iterable[str]) -> list[str]:
    """The names in `prices` that belong to none of the models, which are given as NAME/ID. NAME/ID is known
    for any ID: a request may choose another model of the account."""
    names, ids = set(), set()
    for model in models:
        name, _, model_id = model.partition("/")
        names.add(name)
        ids.add(model_id)
    return [key for key in prices if key not in ids and key.partition("/")[0] not in names]


def cost_text(usage: Usage, price: Price | None) -> str | None:
    """A decimal number as text: JSON numbers would round it."""
    return f"{price.of(usage):.6f}" if price else None
