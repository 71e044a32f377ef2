"""The limits of a single request, through the whole service on the embedded defaults."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gencode.bootstrap.model_registry import ModelRegistry
from gencode.client import Client, ServiceError
from gencode.domain.errors import StartError
from gencode.domain.task import now
from gencode.engine.ports.store import TaskQuery
from gencode.llm.prices import Price
from gencode.settings import Settings
from gencode.settings.json_settings import NamedProvider
from tests.servers.model import http_error, model_server, plan_and_files
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


async def test_the_embedded_model_is_free(tmp_path: Path) -> None:
    heard = await run(tmp_path, max_cost="0.01")
    assert heard[-1].data["status"] == "completed"
    assert {account["cost"] for account in accounts(heard)} == {"0.000000"}


async def test_without_prices_the_cost_is_unknown_and_cannot_be_limited(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files({"app.py": "x = 1\n"})) as model,
        running_app(settings(tmp_path, model)) as app,
        Client(app.url) as client,
    ):
        for ask in (client.submit, client.estimate):
            with pytest.raises(ServiceError, match="PRICES") as caught:
                await ask("a page", "page", max_cost=1)
            assert (caught.value.code, caught.value.status) == ("VALIDATION", 422)
        assert not await app.services.store.find(TaskQuery())
        heard = await events(app.url, (await client.submit("a page", "page"))["task_id"])
    assert {account["cost"] for account in accounts(heard)} == {None}


async def test_a_retry_cannot_limit_a_cost_that_is_unknown(tmp_path: Path) -> None:
    async with (
        model_server(http_error(402, "empty")) as model,
        running_app(settings(tmp_path, model)) as app,
        Client(app.url) as client,
    ):
        task_id = (await client.submit("a page", "page"))["task_id"]
        heard = await events(app.url, task_id)
        with pytest.raises(ServiceError, match=r"max_cost.*PRICES") as caught:
            await client.retry(task_id, max_cost="1")
        assert (caught.value.code, caught.value.status) == ("VALIDATION", 422)
        task = await client.task(task_id)
        assert (task["status"], task["last_event_id"]) == ("failed", heard[-1].id)
        assert (await client.retry(task_id, max_cost=None))["status"] == "generating"


@pytest.mark.parametrize("name", ["scripted", "m", "scripted/m", "scripted/another"])
def test_prices_are_given_for_providers_and_models(name: str) -> None:
    models = ModelRegistry(settings_with_prices(name))
    assert name in models.prices


@pytest.mark.parametrize("name", ["scripted-model", "other/m", "m/scripted", ""])
def test_a_price_of_an_unknown_model_is_refused_at_start_with_the_known_names(name: str) -> None:
    with pytest.raises(StartError, match=r"PRICES.*Use one of: .*scripted, scripted/m;"):
        ModelRegistry(settings_with_prices(name))


def settings_with_prices(name: str) -> Settings:
    provider = NamedProvider(base_url="http://127.0.0.1:1/v1", model="m")
    return Settings(providers={"scripted": provider}, prices={name: PRICES["offline"]})


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
