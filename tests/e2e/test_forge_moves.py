"""The local forge gets another port: tasks show the present addresses, and unfinished ones push there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from gencode.delivery.forge_address import present_address
from tests.servers.calls import client, get, submit
from tests.servers.model import model_server, plan_and_files
from tests.servers.ports import reserve_port
from tests.servers.service import Service, environment, running_app, settings
from tests.servers.stream import events

FILES = {"app.py": "x = 1\n"}


def head_of(url: str) -> str:
    """The commit that plain git finds there."""
    listed = subprocess.run(["git", "ls-remote", url, "HEAD"], capture_output=True, text=True, check=True)
    return listed.stdout.split()[0]


async def page_status(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(url)).status_code


@pytest.mark.local_forge
async def test_a_finished_task_shows_the_present_address(tmp_path: Path) -> None:
    async with model_server(plan_and_files(FILES)) as model:
        async with running_app(settings(tmp_path, model)) as app:
            task = await submit(app.url)
            commit = (await events(app.url, task))[-1].data["commit"]
            before = await get(app.url, f"/api/v1/task/{task}")
        port = reserve_port()
        async with running_app(settings(tmp_path, model, forge_port=port)) as app, client(app.url) as http:
            found = await get(app.url, f"/api/v1/task/{task}")
            (listed,) = (await http.get("/api/v1/tasks")).json()["tasks"]
            assert found["repo_url"] == listed["repo_url"] != before["repo_url"]
            assert found["repo_url"].startswith(f"http://127.0.0.1:{port}/")
            assert await page_status(found["repo_url"]) == 200
            assert await to_thread(head_of, found["clone_url"]) == commit


async def to_thread(call: Any, *arguments: Any) -> Any:
    """The forge runs in this event loop."""
    return await anyio.to_thread.run_sync(call, *arguments)


async def test_an_unfinished_task_pushes_to_the_moved_forge(tmp_path: Path) -> None:
    async with model_server(plan_and_files(FILES)) as model:
        ports = [reserve_port(), reserve_port()]
        first, second = (Service(tmp_path, environment(model, FORGE_PORT=str(port))) for port in ports)
        try:
            await first.start("push.before:1")
            task = await submit(first.url)
            await first.ended()
            await second.start()
            log = await events(second.url, task)
            assert log[-1].data["status"] == "completed"
            found = await get(second.url, f"/api/v1/task/{task}")
            assert found["clone_url"].startswith(f"http://127.0.0.1:{ports[1]}/")
            assert await to_thread(head_of, found["clone_url"]) == log[-1].data["commit"]
        finally:
            await first.close()
            await second.close()


@pytest.mark.parametrize(
    ("url", "host", "forge", "expected"),
    [
        ("http://127.0.0.1:1/local/a", "local", "http://127.0.0.1:2", "http://127.0.0.1:2/local/a"),
        ("http://127.0.0.1:1/local/a.git", "", "http://127.0.0.1:2", "http://127.0.0.1:2/local/a.git"),
        ("http://127.0.0.1:1/local/a", "local", "", "http://127.0.0.1:1/local/a"),
        ("http://127.0.0.1:1/me/a", "gitea", "http://127.0.0.1:2", "http://127.0.0.1:1/me/a"),
        ("https://github.com/me/a", "", "http://127.0.0.1:2", "https://github.com/me/a"),
        ("", "local", "http://127.0.0.1:2", ""),
    ],
)
def test_only_addresses_of_the_forge_change(url: str, host: str, forge: str, expected: str) -> None:
    assert present_address(url, host, forge) == expected
