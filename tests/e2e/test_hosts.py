"""Whole tasks on other Git hosts: submitted over HTTP, cloned with plain Git."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from gencode.settings import NamedHost
from tests.e2e.cloning import git
from tests.servers.calls import BODY, FILES, get, post
from tests.servers.hosts import OWNER, TOKEN, host_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events

BEARER = f"http.extraHeader=Authorization: Bearer {TOKEN}"


def named_host(kind: Any, url: str) -> NamedHost:
    return NamedHost(kind=kind, url=url, token=SecretStr(TOKEN), owner=OWNER.get(kind, ""))


def directory_host(folder: Path) -> NamedHost:
    folder.mkdir(parents=True, exist_ok=True)
    return NamedHost(kind="directory", path=folder)


async def run_task(url: str, language: str = "en", **request: Any) -> dict[str, Any]:
    """Submit, wait for the end; the task then."""
    headers = {"Accept-Language": language}
    answer = await post(url, "/generate", BODY | request, **headers)
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    await events(url, task_id)
    found: dict[str, Any] = await get(url, f"/api/v1/task/{task_id}")
    return found


async def clone(url: str, folder: Path) -> dict[str, str]:
    await git(folder, "-c", BEARER, "clone", "-q", url, "clone")
    return {name: (folder / "clone" / name).read_text(encoding="utf-8") for name in FILES}


@pytest.mark.parametrize("kind", ["gitea", "gitlab", "gitee", "bitbucket"])
async def test_a_whole_task_on_another_host(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(plan_and_files(FILES)) as model, host_server(kind, tmp_path / "git") as server:
        hosts = {"disk": directory_host(tmp_path / "disk"), "work": named_host(kind, server.url)}
        async with running_app(settings(tmp_path, model, hosts=hosts)) as app:
            task = await run_task(app.url, host="work")
            report = await get(app.url, f"/api/v1/task/{task['task_id']}/report")
            log = await get(app.url, f"/api/v1/status/{task['task_id']}")
            metrics, pushes = (
                app.metrics,
                app.measured('gencode_host_seconds_count{host="work",operation="push"}'),
            )
        assert (task["status"], task["host"], report["host"]) == ("completed", "work", "work")
        assert task["commit"] == await server.head("hello")
        assert await clone(task["clone_url"], tmp_path) == FILES
    assert not list((tmp_path / "disk").iterdir())
    assert pushes == 1
    shown = [str(task), str(report), log, metrics, caplog.text, *capsys.readouterr()]
    assert not any(TOKEN in text for text in shown)


async def test_a_whole_task_in_a_directory(tmp_path: Path) -> None:
    hosts = {"disk": directory_host(tmp_path / "git")}
    async with (
        model_server(plan_and_files(FILES)) as model,
        running_app(settings(tmp_path, model, hosts=hosts)) as app,
    ):
        task = await run_task(app.url, "zh", github_org="acme")
        heard = await events(app.url, task["task_id"])
    assert "正在创建 disk 仓库..." in [event.data.get("message") for event in heard]
    assert (task["status"], task["host"]) == ("completed", "disk")
    assert task["repo_url"] == (tmp_path / "git" / "acme" / "hello.git").as_uri()
    assert await clone(task["repo_url"], tmp_path) == FILES


async def test_a_request_cannot_leave_the_configured_hosts(tmp_path: Path) -> None:
    hosts = {"disk": directory_host(tmp_path / "git")}
    async with running_app(settings(tmp_path, hosts=hosts)) as app:
        for wrong, field in [
            ({"host": "github"}, "host"),
            ({"host": "https://evil.example"}, "host"),
            ({"github_org": "a/b"}, "github_org"),
            ({"github_org": "../x"}, "github_org"),
            ({"repo_name": ".github"}, "repo_name"),
        ]:
            answer = await post(app.url, "/generate", BODY | wrong)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "VALIDATION")
            assert [error["field"] for error in problem["errors"]] == [field]
        assert "there is disk" in (await post(app.url, "/generate", BODY | {"host": "github"})).text


async def test_a_restart_under_other_settings_pushes_to_no_other_host(tmp_path: Path) -> None:
    """The task continues once its host is configured again."""
    gate = anyio.Event()
    one, two = {"one": directory_host(tmp_path / "one")}, {"two": directory_host(tmp_path / "two")}
    async with model_server(plan_and_files(FILES, gates={"": gate})) as model:
        async with running_app(settings(tmp_path, model, hosts=one)) as app:
            task_id = (await post(app.url, "/generate", BODY)).json()["task_id"]
        gate.set()
        async with running_app(settings(tmp_path, model, hosts=two)) as app:
            heard = await events(app.url, task_id)
        assert (heard[-1].kind, heard[-1].data["code"]) == ("error", "HOST_UNKNOWN")
        assert "'one', which is not configured any more" in heard[-1].data["message"]
        assert not list((tmp_path / "two").iterdir())
        async with running_app(settings(tmp_path, model, hosts=two | one)) as app:
            assert (await post(app.url, f"/task/{task_id}/retry")).status_code == 202
            await events(app.url, task_id, after=heard[-1].id)
            task = await get(app.url, f"/api/v1/task/{task_id}")
    assert (task["status"], task["host"]) == ("completed", "one")
    assert await clone(task["repo_url"], tmp_path) == FILES
