from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from gencode.errors import BudgetExceeded
from gencode.pipelines.generate.spending import Budget, Price, Spending, price_of, worst_case
from gencode.provider import ChatRequest, Message, Usage
from gencode.task import now

PRICE = Price(prompt=Decimal(2), completion=Decimal(8), cached=Decimal("0.5"))


def a_request(characters: int = 300, most: int = 100) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content="x" * characters),), max_tokens=most)


def test_cached_tokens_cost_their_own_price() -> None:
    usage = Usage(prompt=1_000_000, cached=400_000, completion=1_000_000)
    assert PRICE.of(usage) == Decimal("1.2") + Decimal("0.2") + 8
    assert Price(prompt=Decimal(2), completion=Decimal(8)).of(usage) == 10


def test_a_call_is_refused_before_it_is_made() -> None:
    spending = Spending(Usage(prompt=700, completion=100), Budget(tokens=1000), None)
    with pytest.raises(BudgetExceeded, match="max_tokens=1000"):
        spending.reserve(a_request())
    spending = Spending(Usage(prompt=699, completion=100), Budget(tokens=1000), None)
    assert spending.reserve(a_request()) == worst_case(a_request())


def test_calls_under_way_count_at_their_worst() -> None:
    spending = Spending(Usage(), Budget(tokens=500), None)
    first, second = (spending.reserve(a_request()) for _ in range(2))
    with pytest.raises(BudgetExceeded):
        spending.reserve(a_request())
    spending.release(first)
    spending.add(Usage(prompt=20, completion=5))
    assert spending.reserve(a_request())
    spending.release(second)
    assert spending.view() == {"prompt": 20, "completion": 5, "cached": 0, "cost": None}


def test_the_cost_is_limited_in_the_prices_currency() -> None:
    spending = Spending(Usage(), Budget(cost=Decimal("0.002")), PRICE)
    held = spending.reserve(a_request())
    with pytest.raises(BudgetExceeded, match=r"max_cost=0\.002"):
        spending.reserve(a_request())
    spending.release(held)
    spending.add(Usage(prompt=101, completion=100))
    assert spending.view()["cost"] == "0.001002"


def test_a_cost_cannot_be_promised_without_a_price() -> None:
    with pytest.raises(BudgetExceeded, match="PRICES"):
        Spending(Usage(), Budget(cost=Decimal(1)), None).reserve(a_request())


def test_nothing_is_asked_after_the_deadline() -> None:
    late = Budget(deadline=now() - timedelta(seconds=1))
    with pytest.raises(BudgetExceeded, match="deadline"):
        Spending(Usage(), late, None).reserve(a_request())
    assert Spending(Usage(), Budget(deadline=now() + timedelta(hours=1)), None).reserve(a_request())


def test_a_models_own_price_comes_before_its_providers() -> None:
    own = Price(prompt=Decimal(1), completion=Decimal(1))
    prices = {"deepseek": PRICE, "deepseek/small": own}
    assert price_of(prices, "deepseek/small") == own
    assert price_of(prices, "deepseek/other") == PRICE
    assert price_of(prices, "qwen") is None
