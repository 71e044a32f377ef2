"""Deployment configs over HTTP: stored in projects, with secrets that are never shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign
SECRET = "correct horse battery"


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_app(settings(folder, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        yield http


async def test_a_config_is_stored_changed_and_rendered_and_its_secrets_are_never_shown(
    tmp_path: Path,
) -> None:
    async with service(tmp_path) as http:
        project = (await http.post("/projects", json={"name": "P", "code": "p"})).json()["id"]
        body = {
            "project_id": project,
            "name": "Production",
            "env_name": "production",
            "config_data": {"domain": "shop.example.com", "variables": {"LOG_LEVEL": "info"}},
            "secrets": {"DB_PASSWORD": SECRET, "OLD_TOKEN": SECRET},
        }
        made = await http.post("/deployments", json=body)
        assert made.status_code == 201, made.text
        address = f"/deployments/{made.json()['id']}"
        assert made.json()["secrets"] == ["DB_PASSWORD", "OLD_TOKEN"]
        assert made.json()["config_data"]["port"] == 8080
        assert (await http.post("/deployments", json=body)).json()["code"] == "ALREADY_TAKEN"
        changed = await http.patch(address, json={"secrets": {"OLD_TOKEN": None, "MAIL_KEY": SECRET}})
        assert changed.json()["secrets"] == ["DB_PASSWORD", "MAIL_KEY"]
        twice = await http.patch(address, json={"config_data": {"variables": {"MAIL_KEY": "x"}}})
        assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "secrets")
        told = await http.patch(address, json={"status": "deployed", "deployed_version": "1.0.0"})
        assert (told.json()["status"], told.json()["deployed_at"] is None) == ("deployed", False)
        rendered = (await http.get(f"{address}/rendered")).json()
        assert rendered["missing"] == ["DATABASE_PASSWORD", "DB_PASSWORD", "MAIL_KEY"]
        assert [one["path"] for one in rendered["files"]] == [".env", "compose.override.yaml"]
        listed = await http.get(f"/projects/{project}/deployments", params={"env_name": "production"})
        assert [one["id"] for one in listed.json()["items"]] == [made.json()["id"]]
        stats = (await http.get(f"/projects/{project}/stats")).json()
        assert "deployments" in str(stats)
        log = await http.get("/audit-logs")
        shown = [made.text, changed.text, told.text, listed.text, log.text, str(rendered)]
        assert not any(SECRET in text for text in shown)
        wrong = await http.post("/deployments", json={**body, "env_name": "test", "config_data": {"port": 0}})
        assert wrong.json()["errors"][0]["field"] == "config_data.port"
        nowhere = {**body, "env_name": "test", "project_id": "00000000-0000-4000-8000-000000000000"}
        assert (await http.post("/deployments", json=nowhere)).status_code == 422
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
