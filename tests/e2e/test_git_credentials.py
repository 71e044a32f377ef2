"""Credentials over HTTP, against the scripted server of each kind of host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.calls import post
from tests.servers.githost import Fault
from tests.servers.hosts import TOKEN, host_server
from tests.servers.service import running_app, settings

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]


async def answer_of(url: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "mine", "access_token": TOKEN, **fields}
    created = await post(url, "/git/credentials", body)
    assert created.status_code == 201, created.text
    result = await post(url, f"/git/credentials/{created.json()['id']}/test")
    assert result.status_code == 200, result.text
    assert fields.get("access_token", TOKEN) not in result.text
    return dict(result.json())


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitee", "gitea", "forgejo"])
async def test_the_host_says_whose_the_token_is(tmp_path: Path, kind: str) -> None:
    async with (
        host_server(kind, tmp_path / "host") as server,
        running_app(settings(tmp_path / "data", workspace=True)) as app,
    ):
        suffix = "/api/v3" if kind == "github" else ""
        address = {"provider": kind, "api_url": f"{server.url}{suffix}"}
        found = await answer_of(app.url, **address)
        assert (found["state"], found["login"]) == ("accepted", server.login)
        refused = await answer_of(app.url, **address, access_token="a-wrong-token")
        assert (refused["state"], refused["login"]) == ("refused", None)
        assert refused["code"] in ("HOST_AUTH", "GITHUB_AUTH")
        server.fail("user", Fault(status=503, body=b"down today"))
        away = await answer_of(app.url, **address)
        assert away["state"] == "unknown"
        assert "try again later" in away["message"]


async def test_a_host_without_an_api_cannot_be_asked(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        found = await answer_of(app.url, provider="generic", api_url="https://git.example.org")
        assert (found["state"], found["code"]) == ("unknown", None)
