"""Rows 139 and 140: a name that is taken or not allowed is replaced, and nothing is paid twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from gencode.client import Client, ServiceError
from gencode.settings import NamedHost
from tests.servers.github import Fault, ScriptedGitHub, github_server
from tests.servers.model import ModelServer, model_server, plan_and_files
from tests.servers.service import environment, running_app, service, settings
from tests.servers.stream import events

pytestmark = pytest.mark.fault(139)
FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}
ABSENT = Fault(status=404, body={"message": "Not Found"})
"""Answers the question whether the name is free, which it is not when the repository is created."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A task that failed with REPO_EXISTS after its files were written."""

    url: str
    client: Client
    github: ScriptedGitHub
    model: ModelServer
    task_id: str
    last: int


@asynccontextmanager
async def taken(tmp_path: Path, **body: Any) -> AsyncIterator[Taken]:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        await github.add("hello", "another's")
        github.fail("repo", ABSENT)
        task_id = (await client.submit("say hello", "hello", **body))["task_id"]
        last = (await events(app.url, task_id))[-1]
        assert last.data["code"] == "REPO_EXISTS"
        yield Taken(url=app.url, client=client, github=github, model=model, task_id=task_id, last=last.id)


async def test_another_name_delivers_the_same_commit(tmp_path: Path) -> None:
    async with taken(tmp_path) as task:
        paid = len(task.model.requests)
        await task.client.retry(task.task_id, repo_name="hello-2")
        rest = await events(task.url, task.task_id, after=task.last)
        assert rest[-1].data["status"] == "completed"
        shown = await task.client.task(task.task_id)
        assert (shown["repo_name"], shown["repo_url"]) == ("hello-2", f"{task.github.url}/octo/hello-2")
        assert await task.github.head("hello-2") == shown["commit"]
        assert await task.github.head("hello") is None
        assert len(task.model.requests) == paid
        assert task.github.effects == {"create": 1, "push": 1}
        assert str(task.github.find("octo", "hello-2").description).endswith(f"[gencode:{task.task_id}]")


async def test_another_organisation_and_back(tmp_path: Path) -> None:
    async with taken(tmp_path) as task:
        await task.github.add("hello", "another's", owner="acme")
        await task.client.retry(task.task_id, github_org="acme")
        last = (await events(task.url, task.task_id, after=task.last))[-1]
        assert last.data["code"] == "REPO_EXISTS"
        await task.client.retry(task.task_id, github_org=None, repo_name="free")
        assert (await events(task.url, task.task_id, after=last.id))[-1].data["status"] == "completed"
        assert await task.github.head("free")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repo_name": "x.git"}, "must not be dots only nor end in"),
        ({"repo_name": "a b"}, "repo_name"),
        ({"repo_name": ""}, "repo_name"),
        ({"github_org": "a--b"}, "single hyphens"),
        ({"host": "other"}, "host"),
    ],
)
async def test_a_name_that_the_host_does_not_allow_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    async with taken(tmp_path) as task:
        with pytest.raises(ServiceError, match=words) as refused:
            await task.client.retry(task.task_id, **changes)
        assert (refused.value.status, refused.value.code) == (422, "VALIDATION")
        assert (await task.client.task(task.task_id))["status"] == "failed"
        await task.client.retry(task.task_id, repo_name=None, max_tokens=10**6)
        last = (await events(task.url, task.task_id, after=task.last))[-1]
        assert last.data["code"] == "REPO_EXISTS"  # the name was not changed


async def test_another_name_is_refused_once_the_repository_exists(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        github.fail("info_refs", Fault(status=503))
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        last = (await events(app.url, task_id))[-1]
        assert last.data["code"] == "GIT_UNAVAILABLE"
        for changes in ({"repo_name": "other"}, {"github_org": "acme"}):
            with pytest.raises(ServiceError, match="has been created for this task already") as refused:
                await client.retry(task_id, **changes)
            assert (refused.value.status, refused.value.code) == (422, "VALIDATION")
        await client.retry(task_id, repo_name="hello")  # the same name is no change
        assert (await events(app.url, task_id, after=last.id))[-1].data["status"] == "completed"
        assert github.effects == {"create": 1, "push": 1}


async def test_a_taken_name_costs_nothing_and_the_command_line_goes_on_with_another(tmp_path: Path) -> None:
    """The new name survives kill -9."""
    gate = anyio.Event()
    async with (
        model_server(plan_and_files(FILES, gates={"README.md": gate})) as model,
        github_server(tmp_path / "github") as github,
        service(tmp_path, environment(model, github)) as process,
    ):
        await github.add("hello", "another's")
        async with Client(process.url) as client:
            task_id = (await client.submit("say hello", "hello"))["task_id"]
        assert (await events(process.url, task_id))[-1].data["code"] == "REPO_EXISTS"
        assert not model.requests
        words = [sys.executable, "-m", "gencode", "retry", task_id, "--repo-name", "hi", "--url", process.url]
        said = await anyio.run_process(words, stderr=subprocess.STDOUT)
        assert f"task {task_id} goes on" in said.stdout.decode()
        await model.arrival("file", "README.md")
        await process.kill()
        gate.set()
        await process.start()
        assert (await events(process.url, task_id))[-1].data["status"] == "completed"
        assert await github.head("hi")
        assert github.effects == {"create": 1, "push": 1}


@pytest.mark.fault(140)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("gitea", "feed.rss"), ("forgejo", "-"), ("gitlab", "builds"), ("gitee", "1x"), ("bitbucket", "x" * 63)],
)
async def test_a_name_that_the_host_does_not_allow_is_refused_at_submission(
    tmp_path: Path, kind: str, name: str
) -> None:
    work = NamedHost(kind=kind, url="http://127.0.0.1:9", token=SecretStr("token-0123"), owner="acme")
    async with running_app(settings(tmp_path, hosts={"work": work})) as app, Client(app.url) as client:
        with pytest.raises(ServiceError, match="repo_name: at work it must be") as refused:
            await client.submit("say hello", name)
        assert (refused.value.status, refused.value.code) == (422, "VALIDATION")
        assert not [task async for task in client.tasks()]
