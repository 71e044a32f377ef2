"""The limits of a single request, through the whole service on the embedded defaults."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gencode.client import Client, ServiceError
from gencode.domain.task import now
from gencode.engine.ports.store import TaskQuery
from gencode.llm.budget import Price
from tests.servers.service import running_app, settings
from tests.servers.stream import ReceivedEvent, events

PRICES = {"offline": Price(prompt=Decimal(1), completion=Decimal(2), cached=Decimal(0))}


async def run(folder: Path, prices: dict[str, Price] | None = None, **limits: Any) -> list[ReceivedEvent]:
    async with running_app(settings(folder, prices=prices or {})) as app, Client(app.url) as client:
        task = await client.submit("a small Flask app", "flask-app", **limits)
        return await events(app.url, task["task_id"])


def accounts(heard: list[ReceivedEvent]) -> list[dict[str, Any]]:
    return [event.data["total"] for event in heard if event.kind == "usage"]


@pytest.mark.parametrize("limits", [{"max_tokens": 10}, {"max_cost": 0.000001}, {"max_cost": "0.000001"}])
async def test_a_tiny_budget_stops_the_task_before_it_costs_anything(
    limits: dict[str, Any], tmp_path: Path
) -> None:
    heard = await run(tmp_path, PRICES, **limits)
    assert heard[-1].kind == "error"
    assert heard[-1].data["code"] == "BUDGET_EXCEEDED"
    assert str(next(iter(limits))) in heard[-1].data["message"]
    assert not accounts(heard)


async def test_the_cost_of_a_task_is_reported_with_each_call(tmp_path: Path) -> None:
    heard = await run(tmp_path, PRICES, max_tokens=10**6, max_cost=100)
    assert heard[-1].data["status"] == "completed"
    told = [(account["prompt"], account["completion"], account["cost"]) for account in accounts(heard)]
    assert len(told) > 2
    assert told == [(asked, said, f"{Decimal(asked + 2 * said) / 10**6:.6f}") for asked, said, _ in told]
    assert told == sorted(told)


async def test_without_prices_the_cost_is_unknown_and_cannot_be_limited(tmp_path: Path) -> None:
    heard = await run(tmp_path / "1")
    assert {account["cost"] for account in accounts(heard)} == {None}
    heard = await run(tmp_path / "2", max_cost=1)
    assert "PRICES" in heard[-1].data["message"]


async def test_invalid_limits_are_refused(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"max_tokens": 0},
        {"max_tokens": "5"},
        {"max_cost": 0},
        {"max_cost": "dear"},
        {"max_cost": True},
        {"deadline": 1},
        {"deadline": "2099-01-01"},
        {"deadline": "2099-W01-1T00:00:00Z"},
        {"deadline": "9999-12-31T23:59:59-23:59"},
        {"deadline": (now() - timedelta(seconds=1)).isoformat()},
    ]
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        for limits in wrong:
            with pytest.raises(ServiceError) as caught:
                await client.submit("a page", "page", **limits)
            assert caught.value.code == "VALIDATION", limits
        assert not await app.services.store.find(TaskQuery())
