"""Estimates: computed by a rule at first, then from the cost of the client's own tasks."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from gencode.client import Client
from gencode.llm.port import Usage
from gencode.llm.prices import Price
from gencode.pipelines.generate.estimate import MIN_HISTORY, estimate
from tests.servers.github import github_server
from tests.servers.model import USAGE, model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events

FILES = {"app.py": "print('hello')\n"}
BODY = {"prompt": "say hello", "repo_name": "hello"}
PRICE = Price(prompt=Decimal(1), completion=Decimal(2))


async def requested_estimate(url: str, **more: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        found: dict[str, Any] = (await http.post(f"{url}/api/v1/estimate", json=BODY | more)).json()
    return found


async def test_it_is_taken_from_measured_tasks_and_calls_no_model(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, prices={"scripted": PRICE})) as app,
        Client(app.url) as client,
    ):
        before = await requested_estimate(app.url)
        assert "rule" in before["basis"]
        assert not model.requests
        for number in range(MIN_HISTORY):
            await events(app.url, (await client.submit("say hello", f"hello-{number}"))["task_id"])
        calls = len(model.requests)
        after = await requested_estimate(app.url)
        assert len(model.requests) == calls
        refused = await requested_estimate(app.url, repo_name="a/b")
    said = 2 * USAGE.completion
    cost = f"{Decimal(2 * USAGE.prompt + 2 * said) / 10**6:.6f}"
    assert after == {
        "model": "scripted",
        "prompt_tokens": 2 * USAGE.prompt,
        "completion_tokens": {"low": said, "high": said},
        "cost": {"low": cost, "high": cost},
        "basis": f"median and quartiles of your newest {MIN_HISTORY} completed tasks with this model",
        "template": None,
    }
    assert refused["code"] == "VALIDATION"


async def test_it_names_the_template_that_the_offline_model_would_use(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        prompt = "A ray tracer in Rust"
        estimated = await requested_estimate(app.url, prompt=prompt)
        task = await client.task((await client.submit(prompt, "tracer"))["task_id"])
    assert estimated["template"]["nearest_to"] == "Rust"
    assert estimated["template"] == task["template"]


def test_it_gives_quartiles_not_extremes() -> None:
    history = [Usage(prompt=10, completion=n) for n in (1, 100, 200, 300, 10_000)]
    made = estimate("x", "m", history, None)
    assert (made.completion_tokens.low, made.completion_tokens.high, made.cost) == (100, 300, None)


def test_the_rule_grows_with_the_prompt() -> None:
    short, long = estimate("x", "m", [], PRICE), estimate("x" * 90_000, "m", [], PRICE)
    assert short.prompt_tokens < long.prompt_tokens
    assert short.cost
    assert Decimal(short.cost.low) < Decimal(short.cost.high)
