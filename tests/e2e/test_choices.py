"""GET /api/v1/models, /hosts and /repository-name, over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gencode.client import Client
from gencode.llm.prices import Price
from tests.servers.github import github_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign


async def read(url: str, path: str, **query: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"{url}/api/v1{path}", params=query)


async def test_without_configuration_there_are_the_embedded_model_and_forge(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app, Client(app.url) as client:
        models = (await read(app.url, "/models")).json()
        assert models["default"] == "offline"
        assert [one["name"] for one in models["models"]] == ["offline"]
        hosts = (await read(app.url, "/hosts")).json()
        assert (hosts["default"], [one["name"] for one in hosts["hosts"]]) == ("local", ["local"])
        assert await availability(app.url, repo_name="notes") == "free"
        await client.wait((await client.submit("a static page", "notes"))["task_id"])
        assert await availability(app.url, repo_name="notes") == "taken"
        assert await availability(app.url, repo_name="NOTES") == "taken"


async def availability(url: str, **query: str) -> str:
    response = await read(url, "/repository-name", **query)
    assert response.status_code == 200
    assert set(response.json()) == {"availability"}
    return str(response.json()["availability"])


async def test_configured_models_are_listed_without_their_keys(tmp_path: Path) -> None:
    prices = {"scripted": Price.model_validate({"prompt": "1", "completion": "1"})}
    async with (
        model_server(plan_and_files({"a.py": ""})) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, prices=prices)) as app,
    ):
        response = await read(app.url, "/models")
        models = response.json()
        assert models["default"] == models["models"][0]["name"]
        assert models["models"][0]["has_price"] is True
        assert "key" not in response.text
        assert [one["name"] for one in (await read(app.url, "/hosts")).json()["hosts"]] == ["github"]


REFUSED = (
    ({}, "repo_name"),
    ({"repo_name": "no/slash"}, "repo_name"),
    ({"repo_name": "a.git"}, "repo_name"),
    ({"repo_name": "a", "host": "nowhere"}, "host"),
    ({"repo_name": "a", "github_org": "../x"}, "github_org"),
)


async def test_names_that_no_repository_can_have_are_refused(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path)) as app:
        for query, field in REFUSED:
            answer = (await read(app.url, "/repository-name", **query)).json()
            assert (answer["availability"], answer["field"]) == ("refused", field)
            assert answer["message"]


async def test_strangers_are_told_nothing(tmp_path: Path) -> None:
    async with running_app(settings(tmp_path, api_keys=SecretStr("me=a-long-key"))) as app:
        for path in ("/models", "/hosts", "/repository-name?repo_name=a"):
            async with httpx.AsyncClient() as http:
                assert (await http.get(f"{app.url}/api/v1{path}")).status_code == 401


async def test_a_host_that_refuses_makes_no_answer(tmp_path: Path) -> None:
    """Why it refuses concerns the operator."""
    async with github_server(tmp_path / "github") as github:
        options = settings(tmp_path, None, github, github_token=SecretStr("a-wrong-token"))
        async with running_app(options) as app:
            assert await availability(app.url, repo_name="notes") == "unknown"
