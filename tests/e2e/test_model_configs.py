"""Users' own models over HTTP: a task uses the default config or the one that it names."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gencode.llm.port import Usage
from gencode.settings import Settings
from tests.servers.calls import client, get, post
from tests.servers.claude import claude
from tests.servers.model import ModelServer, http_error, model_server, plan_and_files, text
from tests.servers.service import running_app, settings
from tests.servers.stream import events

pytestmark = pytest.mark.campaign

KEY = "sk-5be1f0c2d37a"
ALICE = "key-of-alice-0123456789"
FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}


def body(server: ModelServer, **fields: Any) -> dict[str, Any]:
    given = {"name": "mine", "provider": "compatible", "base_url": server.base_url, "model": "some-model"}
    return {**given, "api_key": KEY, **fields}


def open_settings(folder: Path) -> Settings:
    """Of a service whose users may call this machine; several processes know no local principal that may."""
    return settings(folder, workspace=True, workspace_allow_networks="127.0.0.0/8")


async def submit(url: str, **fields: Any) -> str:
    response = await post(url, "/generate", {"prompt": "say hello", "repo_name": "hello", **fields})
    assert response.status_code == 202, response.text
    return str(response.json()["task_id"])


async def test_a_task_uses_the_default_config_and_goes_on_with_the_next_one(tmp_path: Path) -> None:
    broken = lambda request: http_error(402, "no money")  # noqa: E731
    async with (
        model_server(broken) as first,
        model_server(plan_and_files(FILES)) as second,
        running_app(settings(tmp_path, workspace=True, workspace_allow_networks="127.0.0.1/32")) as app,
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
    async with running_app(
        settings(tmp_path, workspace=True, workspace_allow_networks="127.0.0.1/32")
    ) as app:
        wanted = "config/00000000-0000-4000-8000-000000000000"
        refused = await post(app.url, "/generate", {"prompt": "x", "repo_name": "x", "model": wanted})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "model")


async def test_only_a_service_without_credentials_calls_private_addresses_of_users(tmp_path: Path) -> None:
    """Of others, the address of a model is public, or in a network that the operator allows: when it is
    stored, and when it is called."""
    alice = {"authorization": f"Bearer {ALICE}"}
    async with model_server(plan_and_files(FILES)) as server:
        for networks, ends in (("127.0.0.0/8", ""), ("", "LLM_BAD_REQUEST")):
            server.requests.clear()
            request = {"prompt": f"say hello {ends}", "repo_name": f"hello{len(ends)}"}
            options = settings(
                tmp_path,
                workspace=True,
                api_keys=SecretStr(f"alice={ALICE}"),
                workspace_allow_networks=networks,
            )
            async with running_app(options) as app:
                created = await post(app.url, "/ai/models", body(server, is_default=True), **alice)
                assert created.status_code == (201 if networks else 422), created.text
                assert networks or "WORKSPACE_ALLOW_NETWORKS" in created.json()["errors"][0]["message"]
                submitted = await post(app.url, "/generate", request, **alice)
                task_id = submitted.json()["task_id"]
                ticket = await post(app.url, f"/task/{task_id}/ticket", **alice)
                await events(app.url, task_id, ticket=ticket.json()["ticket"])
                async with client(app.url) as http:
                    task = (await http.get(f"/api/v1/task/{task_id}", headers=alice)).json()
                assert ((task["error"] or {}).get("code", ""), bool(server.requests)) == (ends, not ends)


async def test_a_test_of_a_config_calls_its_model_and_is_charged(tmp_path: Path) -> None:
    usage = Usage(prompt=20, completion=3)
    replies = [text("ready", usage=usage), http_error(401, f"who is {KEY}?"), http_error(500)]
    async with model_server(replies) as server, running_app(open_settings(tmp_path)) as app:
        fields = {"price_prompt": "1", "price_completion": "2", "monthly_token_limit": 3000, "max_tokens": 50}
        created = (await post(app.url, "/ai/models", body(server, is_active=False, **fields))).json()
        path = f"/ai/models/{created['id']}/test"
        tested = await post(app.url, path)
        assert (tested.status_code, "ratelimit-remaining" in tested.headers) == (200, True)
        answer = tested.json()
        assert answer.pop("latency_ms") >= 0
        tokens = {"prompt": 20, "completion": 3, "cached": 0, "estimated": False}
        assert answer == {"ok": True, "text": "ready", "usage": tokens, "cost": "0.000026", "error": None}
        assert server.requests[0].body["max_tokens"] == 50
        refused = (await post(app.url, path)).json()
        assert (refused["ok"], refused["error"]["code"], refused["usage"]) == (False, "LLM_AUTH", None)
        assert KEY not in str(refused)
        broken = (await post(app.url, path)).json()
        assert (broken["error"]["code"], len(server.requests)) == ("LLM_UNAVAILABLE", 3)
        await change(app.url, created["id"], {"monthly_token_limit": 30})
        limited = (await post(app.url, path)).json()
        assert (limited["error"]["code"], len(server.requests)) == ("LLM_LIMIT_REACHED", 3)


async def test_a_key_that_every_answer_contains_disturbs_its_owner_only(tmp_path: Path) -> None:
    word = "print('hello')"
    options = settings(
        tmp_path,
        workspace=True,
        api_keys=SecretStr(f"alice={ALICE},mallory=key-of-mallory-01234"),
        workspace_allow_networks="127.0.0.0/8",
    )
    async with model_server(text(word)) as server, running_app(options) as app:
        mallory = {"authorization": "Bearer key-of-mallory-01234"}
        for headers, key, ok in ((mallory, word, False), ({"authorization": f"Bearer {ALICE}"}, KEY, True)):
            created = await post(app.url, "/ai/models", body(server, api_key=key), **headers)
            tested = await post(app.url, f"/ai/models/{created.json()['id']}/test", **headers)
            assert tested.json()["ok"] is ok, tested.text


async def test_a_task_by_claude(tmp_path: Path) -> None:
    script = claude(plan_and_files(FILES))
    async with model_server(script) as server, running_app(open_settings(tmp_path)) as app:
        fields = {"provider": "claude", "is_default": True, "temperature": 0.5, "max_tokens": 4000}
        assert (await post(app.url, "/ai/models", body(server, **fields))).status_code == 201
        task_id = await submit(app.url)
        await events(app.url, task_id)
        task = await get(app.url, f"/api/v1/task/{task_id}")
        assert task["state"] == "succeeded", task
        assert {seen.path for seen in server.requests} == {"/v1/messages"}
        assert {seen.headers["x-api-key"] for seen in server.requests} == {KEY}
        assert {(seen.body["max_tokens"], seen.body["temperature"]) for seen in server.requests} == {
            (4000, 0.5)
        }


async def test_usage_is_that_of_the_provider(tmp_path: Path) -> None:
    usage = Usage(prompt=100, completion=50, cached=20)
    script = plan_and_files(FILES, usage=usage)
    options = settings(
        tmp_path,
        workspace=True,
        api_keys=SecretStr(f"alice={ALICE},bob=key-of-bob-0123456789"),
        workspace_allow_networks="127.0.0.0/8",
    )
    alice, bob = ({"authorization": f"Bearer {key}"} for key in (ALICE, "key-of-bob-0123456789"))
    async with model_server(script) as server, running_app(options) as app, client(app.url) as http:
        prices = {"price_prompt": "0.3", "price_completion": "0.1", "is_default": True}
        created = (await post(app.url, "/ai/models", body(server, **prices), **alice)).json()
        request = {"prompt": "say hello", "repo_name": "hello"}
        task_id = (await post(app.url, "/generate", request, **alice)).json()["task_id"]
        ticket = (await post(app.url, f"/task/{task_id}/ticket", **alice)).json()["ticket"]
        await events(app.url, task_id, ticket=ticket)
        calls = len(server.requests)
        cost = f"{Decimal('0.000035') * calls:f}"
        total = (await http.get("/api/v1/usage", headers=alice)).json()
        (group,) = total["groups"]
        assert (group["kind"], group["model"], group["user"]) == ("generate", "compatible/some-model", None)
        counted = {"calls": calls, "prompt_tokens": 100 * calls, "completion_tokens": 50 * calls}
        known = {"cached_tokens": 20 * calls, "cost": cost, "unpriced": 0, "estimated": 0, "unsettled": 0}
        assert total["total"] == {**counted, **known}
        config = (await http.get(f"/api/v1/ai/models/{created['id']}", headers=alice)).json()
        assert (config["used_tokens"], config["used_cost"]) == (150 * calls, cost)
        none = (await http.get("/api/v1/usage?group_by=user&from=2020-01", headers=bob)).json()
        assert (none["total"]["calls"], none["groups"], none["first"]) == (0, [], "2020-01")
        for query, status in (
            ("scope=all", 403),
            ("user=alice", 403),
            ("user=bob", 200),
            ("month=2026-13", 422),
            ("month=2026-11&to=2026-12", 422),
            ("from=2999-01", 422),
            ("group_by=colour", 422),
        ):
            assert (await http.get(f"/api/v1/usage?{query}", headers=bob)).status_code == status, query


async def change(url: str, config_id: str, fields: dict[str, Any]) -> None:
    async with client(url) as http:
        assert (await http.patch(f"/api/v1/ai/models/{config_id}", json=fields)).status_code == 200
