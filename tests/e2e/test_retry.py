"""A task that failed because the account was empty is resumed after a top-up, and nothing is paid twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest

from gencode.client import Client, ServiceError
from tests.servers.github import Fault, github_server
from tests.servers.model import Body, Reply, call_of, http_error, model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings
from tests.servers.stream import ReceivedEvent, events

FILES = {"app.py": "print('hello')\n", "tool.py": "print('tool')\n", "README.md": "# Hello\n"}
ONCE = {("plan", ""): 1} | {("file", path): 1 for path in FILES}


class Account:
    """Pays for the plan and one file; then answers 402 until it is topped up."""

    def __init__(self) -> None:
        self.empty = True

    def __call__(self, body: Body) -> Reply | None:
        kind, path = call_of(body)
        return http_error(402, "empty") if self.empty and kind == "file" and path != "app.py" else None


def steps(heard: list[ReceivedEvent]) -> list[str]:
    return [event.data["status"] for event in heard if event.kind == "status"]


async def test_it_resumes_and_repeats_no_answered_call(tmp_path: Path) -> None:
    account = Account()
    async with (
        model_server(plan_and_files(FILES, replace=account)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, files_at_once=1)) as app,
        Client(app.url) as client,
    ):
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        heard = await events(app.url, task_id)
        assert (heard[-1].data["code"], heard[-1].data["stage"]) == ("LLM_BALANCE", "generating")
        account.empty = False
        answer = await client.retry(task_id)
        assert answer.keys() == {"task_id", "status", "message", "model", "status_url", "task_url"}
        assert answer["status"] == "generating"
        rest = await events(app.url, task_id, after=heard[-1].id)
        assert [event.id for event in heard + rest] == list(range(1, rest[-1].id + 1))
        assert steps(heard + rest) == [
            *("pending", "generating", "failed"),
            *("generating", "merging_files", "creating_repo", "pushing", "completed"),
        ]
        assert model.completed == ONCE
        assert await github.head("hello") == rest[-1].data["commit"]
        with pytest.raises(ServiceError) as caught:
            await client.retry(task_id)
        assert (caught.value.status, caught.value.code) == (409, "ALREADY_OVER")


async def test_a_failed_push_is_retried_into_the_same_repository(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        github.fail("info_refs", Fault(status=503))
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        heard = await events(app.url, task_id)
        assert (heard[-1].data["code"], heard[-1].data["stage"]) == ("GIT_UNAVAILABLE", "pushing")
        await client.retry(task_id)
        rest = await events(app.url, task_id, after=heard[-1].id)
        assert steps(rest) == ["pushing", "completed"]
        assert model.completed == ONCE
        assert await github.head("hello") == rest[-1].data["commit"]


async def test_simultaneous_retries_are_one_retry_and_count_against_the_rate_limit(tmp_path: Path) -> None:
    account = Account()
    async with (
        model_server(plan_and_files(FILES, replace=account)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, files_at_once=1, rate_limit="4/hour")) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False) as http,
    ):
        body = {"prompt": "say hello", "repo_name": "hello"}
        task_id = (await http.post("/api/v1/generate", json=body)).json()["task_id"]
        last = (await events(app.url, task_id))[-1].id
        account.empty = False
        answers = []

        async def click() -> None:
            answers.append((await http.post(f"/api/v1/task/{task_id}/retry")).status_code)

        async with anyio.create_task_group() as tg:
            for _ in range(5):
                tg.start_soon(click)
        assert set(answers) <= {202, 409, 429}
        assert answers.count(429) == 2
        rest = await events(app.url, task_id, after=last)
        assert steps(rest).count("generating") == 1
        assert rest[-1].data["status"] == "completed"
        assert model.completed == ONCE


async def test_a_retried_run_survives_kill_9(tmp_path: Path) -> None:
    """Retried by the command line."""
    account, gate = Account(), anyio.Event()
    gates = {"README.md": gate}
    async with (
        model_server(plan_and_files(FILES, replace=account, gates=gates)) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github, FILES_AT_ONCE="1")) as process,
    ):
        async with Client(process.url) as client:
            task_id = (await client.submit("say hello", "hello"))["task_id"]
        await events(process.url, task_id)
        account.empty = False
        words = [sys.executable, "-m", "gencode", "retry", task_id, "--url", process.url]
        said = await anyio.run_process(words, stderr=subprocess.STDOUT)
        assert f"task {task_id} goes on" in said.stdout.decode()
        await model.arrival("file", "README.md")
        await process.kill()
        gate.set()
        await process.start()
        heard = await events(process.url, task_id)
        assert [event.id for event in heard] == list(range(1, len(heard) + 1))
        assert heard[-1].data["status"] == "completed"
        assert sum(event.kind == "resumed" for event in heard) == 2
        assert model.completed == ONCE
        assert github.effects == {"create": 1, "push": 1}


async def test_nobody_retries_another_client_s_task(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        with pytest.raises(ServiceError) as caught:
            await client.retry("01a2021a-8d23-71f4-ad22-53ae0ed12a67")
        assert caught.value.code == "NOT_FOUND"


async def test_a_retry_may_raise_the_limits_and_nothing_else(tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False) as http,
    ):
        body = {"prompt": "say hello", "repo_name": "hello", "max_tokens": 10}
        task_id = (await http.post("/api/v1/generate", json=body)).json()["task_id"]
        last = (await events(app.url, task_id))[-1]
        assert last.data["code"] == "BUDGET_EXCEEDED"
        retry = f"/api/v1/task/{task_id}/retry"
        for wrong in ({"prompt": "other"}, {"max_tokens": 0}, {"deadline": "2000-01-01T00:00:00Z"}, []):
            answer = await http.post(retry, json=wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION")
        assert (await http.post(retry, content="{}")).status_code == 415
        assert (await http.post(retry, json={"max_tokens": None})).status_code == 202
        assert (await events(app.url, task_id, after=last.id))[-1].data["status"] == "completed"
