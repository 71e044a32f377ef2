"""Users' own models over HTTP: a task uses the default config or the one that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.servers.calls import client, get, post
from tests.servers.model import ModelServer, http_error, model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events

pytestmark = [
    pytest.mark.one_process("the settings of several processes have no workspace yet"),
    pytest.mark.campaign,
]

KEY = "sk-5be1f0c2d37a"
ALICE = "key-of-alice-0123456789"
FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}


def body(server: ModelServer, **fields: Any) -> dict[str, Any]:
    given = {"name": "mine", "provider": "compatible", "base_url": server.base_url, "model": "some-model"}
    return {**given, "api_key": KEY, **fields}


async def submit(url: str, **fields: Any) -> str:
    response = await post(url, "/generate", {"prompt": "say hello", "repo_name": "hello", **fields})
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


async def test_a_task_uses_the_default_config_and_goes_on_with_the_next_one(tmp_path: Path) -> None:
    broken = lambda request: http_error(402, "no money")  # noqa: E731
    async with (
        model_server(broken) as first,
        model_server(plan_and_files(FILES)) as second,
        running_app(settings(tmp_path, workspace=True)) as app,
    ):
        created = await post(app.url, "/ai/models", body(first, is_default=True))
        assert created.status_code == 201, created.text
        assert (created.json()["has_api_key"], KEY in created.text) == (True, False)
        other = await post(app.url, "/ai/models", body(second, name="spare", monthly_token_limit=10**9))
        task_id = await submit(app.url)
        heard = await events(app.url, task_id)
        (changed,) = [event.data for event in heard if event.kind == "failover"]
        assert (changed["from"], changed["to"]) == (created.json()["reference"], other.json()["reference"])
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert (task["state"], task["model"]) == ("succeeded", created.json()["reference"])
        named = await submit(app.url, model=other.json()["reference"], repo_name="other")
        assert not [event for event in await events(app.url, named) if event.kind == "failover"]
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


async def test_a_config_that_is_not_there_is_refused_before_the_task_is_stored(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app:
        wanted = "config/00000000-0000-4000-8000-000000000000"
        refused = await post(app.url, "/generate", {"prompt": "x", "repo_name": "x", "model": wanted})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "model")


async def test_only_a_service_without_credentials_calls_private_addresses_of_users(tmp_path: Path) -> None:
    """Of others, the address of a model is public, or in a network that the operator allows."""
    alice = {"authorization": f"Bearer {ALICE}"}
    request = {"prompt": "say hello", "repo_name": "hello"}
    async with model_server(plan_and_files(FILES)) as server:
        for networks, ends in (("", "LLM_BAD_REQUEST"), ("127.0.0.0/8", "")):
            options = settings(
                tmp_path / (networks and "allowed"),
                workspace=True,
                api_keys=SecretStr(f"alice={ALICE}"),
                workspace_allow_networks=networks,
            )
            async with running_app(options) as app:
                created = await post(app.url, "/ai/models", body(server, is_default=True), **alice)
                assert created.status_code == 201, created.text
                submitted = await post(app.url, "/generate", request, **alice)
                task_id = submitted.json()["task_id"]
                ticket = await post(app.url, f"/task/{task_id}/ticket", **alice)
                await events(app.url, task_id, ticket=ticket.json()["ticket"])
                async with client(app.url) as http:
                    task = (await http.get(f"/api/v1/task/{task_id}", headers=alice)).json()
                assert ((task["error"] or {}).get("code", ""), bool(server.requests)) == (ends, not ends)
