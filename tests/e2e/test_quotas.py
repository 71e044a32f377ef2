"""Quotas of keys: what is refused, what counts, and how operators see it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.auth.key_store import KeyOptions
from gencode.engine.quota import parse_quota
from gencode.llm.prices import Price
from tests.e2e.test_cli import gencode, output_of, rest_of_errors
from tests.faults.test_input import check_problem
from tests.servers.calls import BODY, FILES, client
from tests.servers.github import Fault, github_server
from tests.servers.keys import keys_environment, keys_of
from tests.servers.model import Body, Reply, call_of, http_error, model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings

USED = 3 * 150
"""Tokens of a task: the plan and two files."""


def key_with(folder: Path, *quotas: str, name: str = "alice") -> Mapping[str, str]:
    """The headers of a new client."""
    options = KeyOptions(quotas=tuple(map(parse_quota, quotas)))
    return {"X-API-Key": keys_of(folder).create(name, options)[0]}


@asynccontextmanager
async def running(folder: Path, script: Any = None, **fields: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        model_server(script or plan_and_files(FILES)) as model,
        github_server(folder / "github") as github,
        running_app(settings(folder, model, github, **fields)) as app,
        client(app.url) as http,
    ):
        yield http


async def submit(
    http: httpx.AsyncClient, headers: Mapping[str, str], number: int = 0, **fields: Any
) -> httpx.Response:
    body = BODY | {"repo_name": f"hello-{number}"} | fields
    return await http.post("/api/v1/generate", json=body, headers=headers)


async def task_of(http: httpx.AsyncClient, headers: Mapping[str, str], **fields: Any) -> str:
    answer = await submit(http, headers, **fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def over(http: httpx.AsyncClient, task: str, headers: Mapping[str, str]) -> str:
    """The status of a task, once it is over."""
    await http.get(f"/api/v1/status/{task}", headers=headers)
    return str((await http.get(f"/api/v1/task/{task}", headers=headers)).json()["status"])


async def test_a_quota_of_tasks_holds_for_submissions_at_the_same_time(tmp_path: Path) -> None:
    alice, bob = key_with(tmp_path, "3 tasks/day"), key_with(tmp_path, name="bob")
    async with running(tmp_path) as http:
        answers: list[httpx.Response] = []

        async def one(number: int) -> None:
            answers.append(await submit(http, alice, number))

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(one, number)
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 5
        refused = await submit(http, alice)
        check_problem(refused, 429, "QUOTA_EXCEEDED")
        assert "3 of 3 tasks/day" in refused.json()["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600
        assert (await submit(http, bob)).status_code == 202


async def test_a_key_that_names_a_known_task_gets_it_although_the_quota_is_used_up(tmp_path: Path) -> None:
    alice = {**key_with(tmp_path, "1 tasks/day"), "Idempotency-Key": "k"}
    async with running(tmp_path) as http:
        first, again = [await submit(http, alice) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["task_id"] == again.json()["task_id"]


@pytest.mark.parametrize("quota", [f"{USED} tokens/month", "0.0006 cost/day"])
async def test_tokens_and_cost_that_are_used_up_refuse_the_next_task(quota: str, tmp_path: Path) -> None:
    alice = key_with(tmp_path, quota)
    prices = {"scripted": Price(prompt=Decimal(1), completion=Decimal(2), cached=Decimal(1))}
    async with running(tmp_path, prices=prices) as http:
        assert await over(http, await task_of(http, alice), alice) == "completed"
        refused = await submit(http, alice, 2)
    check_problem(refused, 429, "QUOTA_EXCEEDED")
    assert quota in refused.json()["detail"]


async def test_a_quota_of_cost_refuses_a_model_whose_cost_is_unknown(tmp_path: Path) -> None:
    alice = key_with(tmp_path, "5 cost/month")
    async with running(tmp_path) as http:
        refused = await submit(http, alice)
        allowed = await submit(http, alice, model="offline")
    check_problem(refused, 422, "VALIDATION")
    assert [problem["field"] for problem in refused.json()["errors"]] == ["model"]
    assert "PRICES" in refused.json()["detail"]
    assert allowed.status_code == 202


@pytest.mark.parametrize(("tokens", "status"), [(300, 429), (301, 202)])
async def test_a_retry_is_no_new_task_and_may_use_tokens(tokens: int, status: int, tmp_path: Path) -> None:
    """The first run pays for the plan and one file."""
    alice = key_with(tmp_path, f"{tokens} tokens/day", "1 tasks/day")
    files = [{"path": "app.py"}, {"path": "README.md", "needs": ["app.py"]}]
    script = plan_and_files(FILES, plan={"summary": "s", "files": files}, replace=refuse_readme)
    async with running(tmp_path, script, files_at_once=1) as http:
        task = await task_of(http, alice)
        assert await over(http, task, alice) == "failed"
        answers = [await http.post(f"/api/v1/task/{task}/retry", headers=alice)]
        if answers[0].status_code == 202:
            assert await over(http, task, alice) == "failed"
            answers.append(await http.post(f"/api/v1/task/{task}/retry", headers=alice))
    assert {answer.status_code for answer in answers} == {status}


def refuse_readme(body: Body) -> Reply | None:
    return http_error(402, "empty") if call_of(body) == ("file", "README.md") else None


async def test_what_is_paid_for_can_be_delivered_by_a_retry(tmp_path: Path) -> None:
    alice = key_with(tmp_path, "1 tokens/day")
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        client(app.url) as http,
    ):
        github.fail("info_refs", Fault(status=503))
        task = await task_of(http, alice)
        assert await over(http, task, alice) == "failed"
        assert (await http.post(f"/api/v1/task/{task}/retry", headers=alice)).status_code == 202
        assert await over(http, task, alice) == "completed"


async def test_an_approval_is_refused_while_the_quota_is_used_up(tmp_path: Path) -> None:
    alice = key_with(tmp_path, "150 tokens/day")
    async with running(tmp_path) as http:
        task = await task_of(http, alice, approve_plan=True)
        while (found := await http.get(f"/api/v1/task/{task}", headers=alice)).json()["state"] != "paused":
            assert found.json()["error"] is None
        refused = await http.post(f"/api/v1/task/{task}/approve", headers=alice)
        check_problem(refused, 429, "QUOTA_EXCEEDED")
        assert (await http.get(f"/api/v1/task/{task}", headers=alice)).json()["state"] == "paused"


async def keys_list(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """As JSON, and as lines."""
    outputs = []
    for more in (("--json",), ()):
        arguments = ("keys", "list", *more)
        async with gencode(folder, "http://127.0.0.1:9", *arguments, **keys_environment(folder)) as process:
            outputs.append(await output_of(process))
    found: list[dict[str, Any]] = json.loads(outputs[0])["keys"]
    return found, outputs[1].splitlines()


@pytest.mark.campaign
async def test_keys_list_shows_what_clients_have_used_while_the_service_runs_and_after_a_kill(
    tmp_path: Path,
) -> None:
    alice = key_with(tmp_path, "5 tasks/day", "9 cost/month")
    key_with(tmp_path, name="bob")
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        service(
            tmp_path,
            environment(model, github, PRICES='{"scripted": {"prompt": "1000", "completion": "2000"}}'),
        ) as served,
        client(served.url) as http,
    ):
        assert await over(http, await task_of(http, alice), alice) == "completed"
        while_it_runs = await keys_list(tmp_path)
        await served.kill()
        assert await keys_list(tmp_path) == while_it_runs
        await served.start()
        assert await keys_list(tmp_path) == while_it_runs
    documents, lines = while_it_runs
    use = {"tasks": 1, "tokens": USED, "cost": "0.600000"}
    nothing = {"tasks": 0, "tokens": 0, "cost": None}
    assert [key["usage"] for key in documents] == [
        {"day": use, "month": use},
        {"day": nothing, "month": nothing},
    ]
    assert documents[0]["quotas"] == ["5 tasks/day", "9 cost/month"]
    assert "1 of 5 tasks/day  0.600000 of 9 cost/month" in lines[0]
    assert lines[0].endswith(f"this month: 1 tasks, {USED} tokens, cost 0.600000")
    assert lines[1].endswith("bob  this month: 0 tasks, 0 tokens")


@pytest.mark.one_process("its keys are a file beside the database")
async def test_keys_are_listed_although_the_database_cannot_be_read(tmp_path: Path) -> None:
    key_with(tmp_path, "5 tasks/day")
    (tmp_path / "data" / "gencode.db").write_bytes(b"no database")
    documents, lines = await keys_list(tmp_path)
    assert documents[0]["usage"] is None
    assert "at most 5 tasks/day" in lines[0]


@pytest.mark.parametrize("quota", ["5", "5 tasks", "0 tasks/day", "x"])
async def test_a_quota_that_cannot_be_meant_makes_no_key(quota: str, tmp_path: Path) -> None:
    arguments = ("keys", "make", "alice", "--quota", quota)
    async with gencode(tmp_path, "http://127.0.0.1:9", *arguments, **keys_environment(tmp_path)) as process:
        assert "100 tasks/day" in await rest_of_errors(process)
        assert await process.wait() == 2
    assert keys_of(tmp_path).read() == []
