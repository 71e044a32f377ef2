"""The cost of usage, and the limits that no call may exceed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import anyio
import pytest

from gencode.domain.task import now
from gencode.llm.budget import Budget, BudgetTracker
from gencode.llm.errors import BudgetExceeded
from gencode.llm.port import ChatRequest, Message, Usage
from gencode.llm.prices import Price, price_of, unknown_names
from gencode.llm.token_estimate import worst_case

PRICE = Price(prompt=Decimal(2), completion=Decimal(8), cached=Decimal("0.5"))


def a_request(characters: int = 300, max_tokens: int = 100) -> ChatRequest:
    return ChatRequest(
        messages=(Message(role="user", content="word " * (characters // 5)),), max_tokens=max_tokens
    )


def test_cached_tokens_have_their_own_price() -> None:
    usage = Usage(prompt=1_000_000, cached=400_000, completion=1_000_000)
    assert PRICE.of(usage) == Decimal("1.2") + Decimal("0.2") + 8
    assert Price(prompt=Decimal(2), completion=Decimal(8)).of(usage) == 10


async def refusal(budget_tracker: BudgetTracker) -> str:
    """The message of the error for the next call; "" if it is allowed."""
    try:
        async with budget_tracker.reserve(a_request()):
            return ""
    except BudgetExceeded as error:
        return error.message


async def test_a_call_that_could_exceed_the_budget_is_not_made() -> None:
    worst = worst_case(a_request())
    left = 1000 - worst.prompt - worst.completion
    assert not await refusal(BudgetTracker(Usage(prompt=left), Budget(tokens=1000), None))
    assert "max_tokens=1000" in await refusal(
        BudgetTracker(Usage(prompt=left + 1), Budget(tokens=1000), None)
    )


async def test_the_refusal_says_how_much_the_next_call_needs() -> None:
    worst, used = worst_case(a_request()), Usage(prompt=40, completion=2)
    needed = worst.prompt + worst.completion
    message = await refusal(BudgetTracker(used, Budget(tokens=100), None))
    assert f"(42 used, the call may need {needed}); raise it to {needed + 42} or more" in message
    assert not await refusal(BudgetTracker(used, Budget(tokens=needed + 42), None)), "what it says is enough"
    message = await refusal(BudgetTracker(used, Budget(cost=Decimal("0.0001")), PRICE))
    assert f"(0.000096 used, the call may cost {PRICE.of(worst):.6f})" in message


async def test_calls_in_progress_count_with_their_worst_case_and_are_awaited() -> None:
    budget_tracker = BudgetTracker(Usage(), Budget(tokens=300), None)
    order: list[str] = []
    answered = anyio.Event()

    async def first() -> None:
        async with budget_tracker.reserve(a_request()):
            await answered.wait()
            budget_tracker.add(Usage(prompt=20, completion=5))
            order.append("first")

    async with anyio.create_task_group() as tg:
        tg.start_soon(first)
        await anyio.wait_all_tasks_blocked()
        answered.set()
        assert not await refusal(budget_tracker)
        order.append("second")
    assert order == ["first", "second"]
    assert budget_tracker.view() == {
        "prompt": 20,
        "completion": 5,
        "cached": 0,
        "estimated": False,
        "cost": None,
    }


async def test_the_cost_is_limited_in_the_currency_of_the_prices() -> None:
    budget_tracker = BudgetTracker(Usage(), Budget(cost=Decimal("0.002")), PRICE)
    assert not await refusal(budget_tracker)
    budget_tracker.add(Usage(prompt=101, completion=150))
    assert budget_tracker.view()["cost"] == "0.001402"
    assert "max_cost=0.002 (0.001402 used, " in await refusal(budget_tracker)


async def test_a_cost_limit_needs_a_price() -> None:
    assert "PRICES" in await refusal(BudgetTracker(Usage(), Budget(cost=Decimal(1)), None))


async def test_no_call_is_made_after_the_deadline() -> None:
    late, early = (Budget(deadline=now() + timedelta(seconds=away)) for away in (-1, 3600))
    assert "deadline" in await refusal(BudgetTracker(Usage(), late, None))
    assert not await refusal(BudgetTracker(Usage(), early, None))


OWN = Price(prompt=Decimal(1), completion=Decimal(1))


@pytest.mark.parametrize(
    ("prices", "model", "expected"),
    [
        ({"deepseek": PRICE, "deepseek/small": OWN}, "deepseek/small", OWN),
        ({"deepseek": PRICE, "small": OWN}, "deepseek/small", OWN),
        ({"small": PRICE, "deepseek/small": OWN}, "deepseek/small", OWN),
        ({"deepseek": PRICE, "deepseek/small": OWN}, "deepseek/other", PRICE),
        ({"qwen/qwen-3": OWN}, "router/qwen/qwen-3", OWN),
        ({"deepseek": PRICE}, "router/small", None),
    ],
)
def test_a_price_is_given_for_a_provider_an_id_or_both(
    prices: dict[str, Price], model: str, expected: Price | None
) -> None:
    assert price_of(prices, model) == expected


def test_a_price_of_no_configured_model_is_unknown() -> None:
    models = ["deepseek/flash", "router/qwen/qwen-3"]
    known = ["deepseek", "flash", "deepseek/flash", "deepseek/pro", "router", "qwen/qwen-3", "router/x/y"]
    assert unknown_names(dict.fromkeys(known, OWN), models) == []
    assert unknown_names({"flash": OWN, "flahs": OWN, "other/flash": OWN}, models) == ["flahs", "other/flash"]
