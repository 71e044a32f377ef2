"""Blueprints over HTTP: stored, checked, versioned, compared, and rendered as a project that works."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign

SPEC: dict[str, Any] = {
    "projectName": "shop",
    "label": "网店",
    "dataModels": [
        {
            "name": "Customer",
            "label": '客户\'s "name"',
            "fields": [{"name": "email", "type": "string", "required": True, "unique": True}],
            "relations": [
                {"name": "orders", "type": "OneToMany", "target": "Order", "inverseName": "customer"}
            ],
        },
        {
            "name": "Order",
            "fields": [
                {"name": "total", "type": "decimal", "precision": 10, "scale": 2, "required": True},
                {
                    "name": "state",
                    "type": "enum",
                    "enumValues": [{"name": "new"}, {"name": "已付"}],
                    "default": "new",
                },
                {"name": "placed", "type": "datetime", "default": "now"},
            ],
            "relations": [
                {"name": "customer", "type": "ManyToOne", "target": "Customer", "required": True},
                {"name": "related", "type": "ManyToMany", "target": "Order"},
            ],
        },
    ],
}


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_app(settings(folder, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        yield http


async def stored(http: httpx.AsyncClient, spec: dict[str, Any], path: str = "/blueprints") -> dict[str, Any]:
    answer = await http.post(path, json={"name": "Shop", "spec": spec})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_draft_becomes_a_version_and_the_next_one_is_compared_with_it(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        project = (await http.post("/projects", json={"name": "P", "code": "p"})).json()["id"]
        draft = await stored(http, SPEC, f"/projects/{project}/blueprints")
        assert (draft["entities"], draft["errors"], draft["is_draft"]) == (2, 0, True)
        assert [len(one["relations"]) for one in draft["spec"]["dataModels"]] == [0, 2]
        taken = await http.post(f"/projects/{project}/blueprints", json={"name": "Other"})
        assert taken.json()["code"] == "ALREADY_TAKEN"
        address = f"/blueprints/{draft['id']}"
        published = await http.post(f"{address}/publish")
        assert published.json()["is_draft"] is False
        refused = await http.patch(address, json={"spec": {}})
        assert refused.json()["code"] == "BLUEPRINT_PUBLISHED"
        following = (await http.post(f"{address}/versions", json={"version_tag": "0.2.0"})).json()
        spec = following["spec"]
        spec["dataModels"][1]["fields"][0]["name"] = "amount"
        changed = await http.patch(f"/blueprints/{following['id']}", json={"spec": spec})
        assert changed.status_code == 200, changed.text
        difference = (await http.get(f"/blueprints/{following['id']}/diff")).json()
        assert [one["text"] for one in difference["operations"]] == [
            'Order: field "amount" was renamed from "total" to "amount"'
        ]
        assert difference["patch"] == [
            {"op": "replace", "path": "/dataModels/1/fields/0/name", "value": "amount"}
        ]
        steps = difference["migration"]["operations"]
        assert [(one["text"], one["destructive"]) for one in steps] == [
            ("orders: renames column total to amount", False)
        ]
        preview = f"/blueprints/{following['id']}/preview?from={draft['id']}"
        impact = (await http.get(preview, headers={"Accept-Language": "zh"})).json()["impact"]
        assert impact["breaks"][0]["text"] == "Order.total 改名为 amount"
        changes = {one["path"]: one["change"] for one in impact["files"]}
        assert changes["backend/app/models/order.py"] == "changed"
        assert 'new_column_name="amount"' in impact["revision"]
        assert "backend/migrations/versions/0001_initial.py" not in changes
        archive = await http.get(f"/blueprints/{following['id']}/project.zip")
        with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
            (revision,) = [path for path in files.namelist() if "/versions/0002_" in path]
            assert files.read(revision).decode() == impact["revision"]
        assert changes[revision] == "added"
        history = (await http.get(f"/blueprints/{following['id']}/history")).json()["versions"]
        assert [one["version_tag"] for one in history] == ["0.2.0", "0.1.0"]
        clone = (await http.post(f"/projects/{project}/clone", json={"new_name": "Q"})).json()["id"]
        copies = (await http.get(f"/projects/{clone}/blueprints")).json()["items"]
        assert {one["version_tag"] for one in copies} == {"0.1.0", "0.2.0"}


async def test_errors_are_told_and_prevent_publishing_and_rendering(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        spec = {"dataModels": [{"name": "订单明细", "fields": [{"name": "class", "type": "string"}]}]}
        examined = (await http.post("/blueprints/validate", json={"spec": spec})).json()
        assert [one["rule"] for one in examined["findings"]] == ["identifier", "reserved-word"]
        assert examined["repaired"]["dataModels"][0]["name"] == "DingDanMingXi"
        draft = await stored(http, spec)
        for path in ("preview", "project.zip"):
            answer = await http.get(f"/blueprints/{draft['id']}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (409, "BLUEPRINT_INVALID")
        answer = await http.post(f"/blueprints/{draft['id']}/publish")
        assert answer.json()["code"] == "BLUEPRINT_INVALID"
        wrong = await http.post(
            "/blueprints", json={"name": "x", "spec": {"dataModels": [{"name": "A", "fields": 3}]}}
        )
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["field"] == "spec.dataModels.0.fields"


async def test_the_project_of_a_blueprint_passes_its_own_tests(tmp_path: Path) -> None:
    async with service(tmp_path / "data") as http:
        draft = await stored(http, SPEC)
        archive = await http.get(f"/blueprints/{draft['id']}/project.zip")
        assert archive.content == (await http.get(f"/blueprints/{draft['id']}/project.zip")).content
        files = (await http.get(f"/blueprints/{draft['id']}/preview")).json()["files"]
    with zipfile.ZipFile(io.BytesIO(archive.content)) as project:
        assert project.namelist() == [one["path"] for one in files]
        project.extractall(tmp_path / "project")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "-p",
        "no:schemathesis",
    ]
    ran = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            command, cwd=tmp_path / "project" / "backend", capture_output=True, text=True, check=False
        )
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
