"""Limits over two processes that share a database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

from gencode.auth.key_store import KeyOptions
from gencode.bootstrap.database_api_keys import DatabaseKeys
from gencode.engine.quota import parse_quota
from tests.servers.calls import BODY, FILES, client
from tests.servers.github import github_server
from tests.servers.model import Script, model_server, plan_and_files
from tests.servers.service import running_app, settings

Two = tuple[httpx.AsyncClient, httpx.AsyncClient]


@asynccontextmanager
async def two(folder: Path, dsn: str, script: Script, **fields: Any) -> AsyncIterator[tuple[Two, Any]]:
    """Clients of two processes, and the model that both ask."""
    async with (
        model_server(script) as model,
        github_server(folder / "github") as github,
        running_app(settings(folder / "a", model, github, database_url=SecretStr(dsn), **fields)) as one,
        running_app(settings(folder / "b", model, github, database_url=SecretStr(dsn), **fields)) as other,
        client(one.url) as at_one,
        client(other.url) as at_other,
    ):
        yield (at_one, at_other), model


async def submit(http: httpx.AsyncClient, number: int, key: str = "") -> httpx.Response:
    headers = {"X-API-Key": key} if key else {}
    return await http.post("/api/v1/generate", json=BODY | {"repo_name": f"r-{number}"}, headers=headers)


@pytest.mark.campaign
async def test_the_rate_limit_is_one_for_all_processes(tmp_path: Path, postgres: str) -> None:
    async with two(tmp_path, postgres, plan_and_files(FILES), rate_limit="3/hour") as (at, _):
        answers = [await submit(at[number % 2], number) for number in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]


async def test_a_quota_is_one_for_all_processes(tmp_path: Path, postgres: str) -> None:
    key, _ = DatabaseKeys(postgres).create("alice", KeyOptions(quotas=(parse_quota("2 tasks/day"),)))
    async with two(tmp_path, postgres, plan_and_files(FILES)) as (at, _):
        answers: list[httpx.Response] = []

        async def one(number: int) -> None:
            answers.append(await submit(at[number % 2], number, key))

        async with anyio.create_task_group() as group:
            for number in range(6):
                group.start_soon(one, number)
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 4


async def test_the_calls_to_a_model_are_limited_over_all_processes(tmp_path: Path, postgres: str) -> None:
    """Each process has a task, and one of both has the only call."""
    gate = anyio.Event()
    script = plan_and_files(FILES, gates={"": gate})
    limits = {"max_model_calls": 1, "max_concurrent_tasks": 1}
    async with two(tmp_path, postgres, script, **limits) as (at, model):
        tasks = [(await submit(at[number], number)).json()["task_id"] for number in range(2)]
        for task in tasks:
            while (await at[0].get(f"/api/v1/task/{task}")).json()["status"] == "pending":
                await anyio.sleep(0.02)
        await model.arrival("plan")
        await anyio.sleep(0.5)
        assert len(model.requests) == 1
        gate.set()
        for task in tasks:
            await at[0].get(f"/api/v1/status/{task}")  # until it is over
            assert (await at[0].get(f"/api/v1/task/{task}")).json()["status"] == "completed"
