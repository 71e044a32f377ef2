"""Generated files that contain secrets, through the whole service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from gencode.client import Client
from tests.servers.github import TOKEN, ScriptedGitHub, github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import ReceivedEvent, events

LEAKED = "glpat-" + "Zk3vQ9xT7mWcB4yR2nLd"  # made up, and put together so that no scanner finds it here
FINDING = {"path": "app.py", "line": 2, "rule": "gitlab-token"}


async def run(
    folder: Path, content: str, added: tuple[str, ...] = (), **asked: Any
) -> tuple[list[ReceivedEvent], ScriptedGitHub]:
    """The events of a task whose model writes `content` into app.py, and the host. `added`: secrets that
    become valid after the start of the service."""
    async with (
        model_server(plan_and_files({"app.py": content, "README.md": "# Hello\n"})) as model,
        github_server(folder / "github") as github,
        running_app(settings(folder, model, github)) as app,
    ):
        app.secrets.add_source(lambda: added)
        body = {"prompt": "say hello", "repo_name": "hello", "private": False, **asked}
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{app.url}/api/v1/generate", json=body)
        return await events(app.url, answer.json()["task_id"]), github


async def test_a_task_whose_files_contain_a_secret_fails_and_names_the_places(tmp_path: Path) -> None:
    heard, github = await run(tmp_path, f"import os\nTOKEN = '{LEAKED}'\n")
    assert [event.data for event in heard if event.kind == "findings"] == [
        {"findings": [FINDING], "count": 1}
    ]
    assert heard[-1].kind == "error"
    assert heard[-1].data["code"] == "SECRET_FOUND"
    assert "app.py line 2" in heard[-1].data["message"]
    assert not github.effects
    assert all(LEAKED not in str(event.data) for event in heard)


async def test_a_request_may_allow_secrets_and_they_are_reported(tmp_path: Path) -> None:
    heard, github = await run(tmp_path, f"import os\nTOKEN = '{LEAKED}'\n", allow_secrets=True)
    assert [event.data for event in heard if event.kind == "findings"] == [
        {"findings": [FINDING], "count": 1}
    ]
    assert heard[-1].data["status"] == "completed"
    assert github.effects == {"create": 1, "push": 1}


async def test_a_retry_may_allow_what_only_looks_like_a_secret(tmp_path: Path) -> None:
    content = f"import os\nTOKEN = '{LEAKED}'\n"
    async with (
        model_server(plan_and_files({"app.py": content})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        task = (await client.submit("say hello", "hello"))["task_id"]
        failed = (await events(app.url, task))[-1]
        assert (failed.data["retry_helps"], failed.data["retry_fields"]) == (
            "after_change",
            ["allow_secrets"],
        )
        await client.retry(task, allow_secrets=True)
        log = await events(app.url, task, after=failed.id)
        assert log[-1].data["status"] == "completed"
        assert github.effects == {"create": 1, "push": 1}
        assert set(model.started.values()) == {1}, "nothing is asked again"


async def test_no_retry_can_allow_a_secret_of_the_service(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files({"app.py": f"# {TOKEN}\n"})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        task = (await client.submit("say hello", "hello"))["task_id"]
        failed = (await events(app.url, task))[-1]
        assert (failed.data["retry_helps"], failed.data["retry_fields"]) == ("never", [])
        await client.retry(task, allow_secrets=True)
        assert (await events(app.url, task, after=failed.id))[-1].data["code"] == "SECRET_FOUND"
        assert not github.effects


async def test_no_request_can_allow_a_secret_of_the_service(tmp_path: Path) -> None:
    heard, github = await run(tmp_path, f"# {TOKEN}\n", allow_secrets=True)
    assert heard[-1].data["code"] == "SECRET_FOUND"
    assert heard[-1].data["message"].startswith("app.py line 1 holds a secret of this service")
    assert not github.effects


async def test_a_secret_that_was_added_after_the_start_is_found(tmp_path: Path) -> None:
    heard, github = await run(tmp_path, "# a-later-password\n", added=("a-later-password",))
    assert heard[-1].data["code"] == "SECRET_FOUND"
    assert heard[-1].data["message"].startswith("app.py line 1 holds a secret of this service")
    assert not github.effects
