"""The ledger of model calls over kill -9: it agrees with the task, and with what providers have billed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.llm.port import Usage
from gencode.storage.data_dir_lock import WORKSPACE_DATABASE
from tests.servers.calls import get, post
from tests.servers.model import Body, ModelServer, Reply, http_error, model_server, plan_and_files
from tests.servers.service import Service, service
from tests.servers.stream import events, subscribed

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]
BILLED = Usage(prompt=100, completion=50, cached=20)
PRICES = {"price_prompt": "0.3", "price_completion": "1.1", "price_cached": "0.07"}
FILES = {"app.py": "print('hello')\n", "lib.py": "x = 1\n", "README.md": "# Hello\n"}
SETTINGS = {"WORKSPACE": "true", "FILES_AT_ONCE": "1"}


@dataclass
class Provider:
    """Bills each answer that it ends; the request with one of the numbers `hanging` waits for ever.

    hangs     set when such a request arrives
    answered  answers that it has begun and will end
    """

    hanging: set[int]
    hangs: anyio.Event = field(default_factory=anyio.Event)
    asked: int = 0
    answered: int = 0

    def __call__(self, body: Body) -> Reply:
        self.asked += 1
        if self.asked in self.hanging:
            self.hangs.set()
            return Reply(parts=[b"data: {}\n\n", anyio.Event()])
        self.answered += 1
        return plan_and_files(FILES, usage=BILLED)(body)


async def config(process: Service, server: ModelServer, name: str, **fields: Any) -> str:
    body = {"name": name, "provider": "compatible", "base_url": server.base_url, "model": name}
    created = await post(process.url, "/ai/models", {**body, **PRICES, "api_key": "sk-0123456789", **fields})
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


async def submit(process: Service) -> str:
    answer = await post(process.url, "/generate", {"prompt": "say hello", "repo_name": "hello"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def kill_while_it_hangs(process: Service, task_id: str, hanging: Provider, *others: Provider) -> None:
    """Kills the process at each request that hangs, and starts it again. A file is begun while the plan still
    ends: what was answered before is stored first, so that only the hanging call is lost."""
    for _ in hanging.hanging:
        await hanging.hangs.wait()
        hanging.hangs = anyio.Event()
        async with subscribed(process.url, task_id) as reader:
            stored = 0
            while stored < sum(provider.answered for provider in (hanging, *others)):
                event = await reader.until("usage")
                stored += event.data["tokens"]["prompt"] == BILLED.prompt
        await process.kill()
        await process.start()


def reserves(data_dir: Path) -> list[tuple[int, int]]:
    """Prompt and completion tokens of the calls that are not settled."""
    database = sqlite3.connect(data_dir / WORKSPACE_DATABASE)
    try:
        rows = database.execute(
            "SELECT prompt_tokens, completion_tokens FROM model_calls WHERE NOT is_settled"
        )
        return [(int(prompt), int(completion)) for prompt, completion in rows]
    finally:
        database.close()


async def check_account(process: Service, task_id: str, kills: int, *providers: Provider) -> None:
    """The ledger has what was billed, and the reserve of each call that a kill has broken off; so has the
    task."""
    history = await events(process.url, task_id)
    assert history[-1].data["status"] == "completed"
    answered = sum(provider.answered for provider in providers)
    task = [event.data["total"] for event in history if event.kind == "usage"][-1]
    ledger = (await get(process.url, "/api/v1/usage"))["total"]
    lost = reserves(process.data_dir)
    assert (ledger["unsettled"], len(lost)) == (kills, kills)
    for name, billed, place in (("prompt", BILLED.prompt, 0), ("completion", BILLED.completion, 1)):
        expected = answered * billed + sum(one[place] for one in lost)
        assert (ledger[f"{name}_tokens"], task[name]) == (expected, expected)
    assert ledger["cached_tokens"] == task["cached"] == answered * BILLED.cached
    assert f"{Decimal(ledger['cost']):.6f}" == task["cost"]


@pytest.mark.parametrize("hanging", [{1}, {2}, {4}, {1, 2, 4, 6}])
async def test_a_call_that_a_kill_breaks_off_counts_at_its_reserve(tmp_path: Path, hanging: set[int]) -> None:
    provider = Provider(hanging)
    async with model_server(provider) as server, service(tmp_path, SETTINGS) as process:
        config_id = await config(process, server, "mine", is_default=True)
        task_id = await submit(process)
        await kill_while_it_hangs(process, task_id, provider)
        await check_account(process, task_id, len(hanging), provider)
        shown = await get(process.url, f"/api/v1/ai/models/{config_id}")
        ledger = (await get(process.url, "/api/v1/usage"))["total"]
        assert shown["used_tokens"] == ledger["prompt_tokens"] + ledger["completion_tokens"]
        assert shown["used_cost"] == ledger["cost"]


async def test_a_failover_holds_over_a_kill_and_each_config_has_its_own_calls(tmp_path: Path) -> None:
    """The first config answers the plan; then its account is empty, and the second one is killed once."""
    first, second = Provider(set()), Provider({2})

    def until_empty(body: Body) -> Reply:
        return first(body) if first.asked < 1 else http_error(402, "no money")

    async with (
        model_server(until_empty) as empty,
        model_server(second) as spare,
        service(tmp_path, SETTINGS) as process,
    ):
        await config(process, empty, "first", is_default=True)
        await config(process, spare, "second")
        task_id = await submit(process)
        await kill_while_it_hangs(process, task_id, second, first)
        await check_account(process, task_id, 1, first, second)
        history = await events(process.url, task_id)
        assert len([event for event in history if event.kind == "failover"]) == 1
        groups = (await get(process.url, "/api/v1/usage?group_by=model"))["groups"]
        used = {one["model"]: (one["calls"], one["unsettled"]) for one in groups}
        assert used["compatible/first"] == (len(empty.requests), 0)
        assert used["compatible/second"] == (len(spare.requests), 1)
        paid = {one["model"]: one["completion_tokens"] for one in groups}
        assert paid["compatible/first"] == first.answered * BILLED.completion
