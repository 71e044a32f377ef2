"""Builds over HTTP: a blueprint becomes a project, its archive and its commit."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.test_teams import people
from tests.kinds.letter.test_letter import wait_for
from tests.servers.service import running_app, settings
from tests.servers.stream import events

pytestmark = pytest.mark.campaign

SPEC: dict[str, Any] = {
    "projectName": "shop",
    "dataModels": [
        {"name": "Customer", "fields": [{"name": "email", "type": "string", "required": True}]},
    ],
}


@asynccontextmanager
async def service(folder: Path, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_app(settings(folder, workspace=True, **options)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        yield http


async def stored(http: httpx.AsyncClient, spec: dict[str, Any]) -> str:
    answer = await http.post("/blueprints", json={"name": "Shop", "spec": spec})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def built(http: httpx.AsyncClient, blueprint_id: str, **body: Any) -> dict[str, Any]:
    """The task, when it is over."""
    answer = await http.post(f"/blueprints/{blueprint_id}/generate", json=body)
    assert answer.status_code == 202, answer.text
    return await over(http, answer.json()["task_id"])


async def over(http: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    await events(str(http.base_url).removesuffix("/api/v1/"), task_id)
    return dict((await http.get(f"/task/{task_id}")).json())


async def test_the_same_blueprint_makes_the_same_archive_and_commit(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first, second = await built(http, blueprint), await built(http, blueprint)
        assert first["state"] == "succeeded", first
        same = ("commit", "tree", "checksum", "archive_sha256", "blueprint_digest")
        assert [first[name] for name in same] == [second[name] for name in same]
        other = await built(http, blueprint, stack={"database": "mysql"})
        assert other["blueprint_digest"] == first["blueprint_digest"]
        assert other["checksum"] != first["checksum"]
        assert first["version_tag"] == "0.1.0"
        assert (first["is_draft"], first["qa_status"]) == (True, "unverified")
        assert first["messages"]["en"].endswith("; unverified: the sandbox is off (SANDBOX)")
        assert first["messages"]["zh"].endswith("；未经验证：沙箱已关闭（SANDBOX）")
        download = await http.get(f"/task/{first['task_id']}/artifact")
        assert hashlib.sha256(download.content).hexdigest() == first["archive_sha256"]
        assert download.headers["etag"] == f'"{first["archive_sha256"]}"'
        with zipfile.ZipFile(io.BytesIO(download.content)) as project:
            names = project.namelist()
            assert "shop/backend/app/models/customer.py" in names
            assert len(names) == first["file_count"]
        tag = {"If-None-Match": download.headers["etag"]}
        assert (await http.get(f"/task/{first['task_id']}/artifact", headers=tag)).status_code == 304
        part = await http.get(f"/task/{first['task_id']}/artifact", headers={"Range": "bytes=2-3"})
        assert (part.status_code, part.content) == (206, download.content[2:4])
        (artifact,) = (await http.get(f"/task/{first['task_id']}/artifacts")).json()["items"]
        assert (artifact["sha256"], artifact["downloads"]) == (first["archive_sha256"], 1)
        listed = (await http.get(f"/blueprints/{blueprint}/builds")).json()["items"]
        assert [one["task_id"] for one in listed] == [other["task_id"], second["task_id"], first["task_id"]]
        assert [one["downloads"] for one in listed] == [0, 0, 1]
        assert {one["qa_reason_zh"] for one in listed} == {"沙箱已关闭（SANDBOX）"}


async def test_a_change_after_the_submission_does_not_matter(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first = await built(http, blueprint)
        spec = {**SPEC, "dataModels": [*SPEC["dataModels"], {"name": "Order"}]}
        changed = await http.patch(f"/blueprints/{blueprint}", json={"spec": spec})
        assert changed.status_code == 200, changed.text
        second = await built(http, blueprint)
        assert first["blueprint_digest"] != second["blueprint_digest"]
        again = await http.get(f"/task/{first['task_id']}/artifact")
        assert hashlib.sha256(again.content).hexdigest() == first["archive_sha256"]


async def test_a_blueprint_with_errors_is_refused_with_its_findings(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        spec = {"dataModels": [{"name": "A", "fields": [{"name": "class", "type": "string"}]}]}
        blueprint = await stored(http, spec)
        answer = await http.post(f"/blueprints/{blueprint}/generate", json={})
        assert answer.status_code == 422
        assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [
            ("dataModels/A/fields/class", "reserved-word")
        ]
        assert (await http.get(f"/blueprints/{blueprint}/builds")).json() == {"items": []}
        missing = "00000000-0000-4000-8000-000000000000"
        assert (await http.post(f"/blueprints/{missing}/generate", json={})).status_code == 404
        assert (await http.get(f"/blueprints/{missing}/builds")).status_code == 404
        assert (await http.get(f"/task/{missing}/artifact")).status_code == 404


async def test_a_build_is_pushed_as_the_commit_that_it_names(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        task = await built(http, blueprint, deliver={"repo_name": "shop"})
        assert task["state"] == "succeeded", task
        assert task["branch"] == "main"
        assert task["repo_url"]
        url = str(http.base_url).removesuffix("/api/v1/")
        kinds = [event.kind for event in await events(url, task["task_id"])]
        assert kinds.index("certificate") < kinds.index("repo") < kinds.index("pushed")
        (folder,) = tmp_path.rglob("shop.git")
        command = ["git", "--git-dir", str(folder), "rev-parse", "main", "main^{tree}"]
        head = await anyio.run_process(command)
        assert head.stdout.decode().split() == [task["commit"], task["tree"]]
        alone = await built(http, blueprint)
        assert (alone["commit"], alone["repo_url"]) == (task["commit"], None)
        refused = await http.post(f"/blueprints/{blueprint}/generate", json={"deliver": {"repo_name": ".."}})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "deliver.repo_name")
        taken = await built(http, blueprint, deliver={"repo_name": "shop"})
        assert (taken["state"], taken["error"]["code"]) == ("failed", "REPO_EXISTS")
        assert taken["error"]["stage"] == "rendering"


async def test_a_later_version_has_a_revision_for_what_was_changed(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        await http.post(f"/blueprints/{blueprint}/publish")
        first = await built(http, blueprint)
        made = await http.post(f"/blueprints/{blueprint}/versions", json={"version_tag": "0.2.0"})
        spec = made.json()["spec"]
        spec["dataModels"][0]["fields"].append({"name": "phone", "type": "string"})
        following = made.json()["id"]
        assert (await http.patch(f"/blueprints/{following}", json={"spec": spec})).status_code == 200
        second = await built(http, following)
        revisions = [await revisions_of(http, task) for task in (first, second)]
        assert [len(names) for names in revisions] == [1, 2]
        assert revisions[1][0] == revisions[0][0]


async def test_a_migration_that_may_lose_data_waits_for_an_approval(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        field = {"name": "phone", "type": "string"}
        customer = {**SPEC["dataModels"][0], "fields": [*SPEC["dataModels"][0]["fields"], field]}
        blueprint = await stored(http, {**SPEC, "dataModels": [customer]})
        await http.post(f"/blueprints/{blueprint}/publish")
        made = await http.post(f"/blueprints/{blueprint}/versions", json={"version_tag": "0.2.0"})
        following = made.json()["id"]
        assert (await http.patch(f"/blueprints/{following}", json={"spec": SPEC})).status_code == 200
        allowed = await built(http, following, allow_data_loss=True)
        assert allowed["state"] == "succeeded", allowed
        answer = await http.post(
            f"/blueprints/{following}/generate", json={}, headers={"Accept-Language": "zh"}
        )
        task_id = answer.json()["task_id"]
        paused = await wait_for(str(http.base_url).removesuffix("/api/v1/"), task_id, state="paused")
        assert (paused["status"], paused["awaiting_approval"]) == ("approving_migration", True)
        assert "customers：删除列 phone" in paused["message"]
        assert paused["file_count"] is None
        assert (await http.post(f"/task/{task_id}/approve")).status_code == 202
        task = await over(http, task_id)
        assert (task["state"], task["commit"]) == ("succeeded", allowed["commit"])


async def revisions_of(http: httpx.AsyncClient, task: dict[str, Any]) -> list[str]:
    download = await http.get(f"/task/{task['task_id']}/artifact")
    with zipfile.ZipFile(io.BytesIO(download.content)) as project:
        return [name for name in project.namelist() if "/migrations/versions/" in name]


async def test_a_build_is_regenerated_from_a_newer_version_and_tells_what_changes(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, SPEC)
        first = await built(http, blueprint, stack={"database": "mysql"})
        same = await regenerated(http, first)
        assert (same["commit"], same["stack"]) == (first["commit"], first["stack"])
        assert [same["changes"][name] for name in ("added", "changed", "removed")] == [0, 0, 0]
        made = await http.post(f"/blueprints/{blueprint}/versions", json={"version_tag": "0.2.0"})
        spec = {**SPEC, "dataModels": [{"name": "Invoice", "fields": [{"name": "n", "type": "integer"}]}]}
        newer = made.json()["id"]
        assert (await http.patch(f"/blueprints/{newer}", json={"spec": spec})).status_code == 200
        other = await regenerated(http, first, blueprint_id=newer)
        changes = other["changes"]
        assert changes["since"] == first["task_id"]
        assert "backend/app/models/invoice.py" in changes["added_paths"]
        assert "backend/app/models/customer.py" in changes["removed_paths"]
        assert "backend/app/models/__init__.py" in changes["changed_paths"]
        missing = "00000000-0000-4000-8000-000000000000"
        refused = await http.post(
            "/pipelines/build", json={"blueprint_id": blueprint, "regenerates": missing}
        )
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "regenerates")
        assert (await http.post(f"/task/{missing}/regenerate", json={})).status_code == 404


async def regenerated(http: httpx.AsyncClient, task: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await http.post(f"/task/{task['task_id']}/regenerate", json=body)
    assert answer.status_code == 202, answer.text
    return await over(http, answer.json()["task_id"])


async def test_members_build_and_viewers_read_what_was_built(tmp_path: Path) -> None:
    options = {"plan_limits": True, "plan_free_generations": 1}
    async with people(tmp_path, **options) as made:
        project = await made.project("shop")
        row = await made.call(
            "member", "POST", f"/projects/{project}/blueprints", {"name": "S", "spec": SPEC}
        )
        address = f"/blueprints/{row.json()['id']}"
        refused = {
            name: (await made.call(name, "POST", f"{address}/generate", {})).status_code
            for name in ("viewer", "outsider")
        }
        assert refused == {"viewer": 403, "outsider": 404}
        task_id = (await made.call("member", "POST", f"{address}/generate", {})).json()["task_id"]
        over_limit = await made.call("owner", "POST", f"{address}/generate", {})
        assert (over_limit.status_code, over_limit.json()["code"]) == (402, "PLAN_LIMIT_REACHED")
        ticket = (await made.call("member", "POST", f"/task/{task_id}/ticket")).json()["ticket"]
        await events(str(made.accounts.http.base_url), task_id, ticket=ticket)
        listed = (await made.call("viewer", "GET", f"{address}/builds")).json()["items"]
        assert [(one["task_id"], one["state"]) for one in listed] == [(task_id, "succeeded")]
        for path in ("artifact", "artifacts", "qa-report"):
            statuses = [
                (await made.call(name, "GET", f"/task/{task_id}/{path}")).status_code
                for name in ("owner", "viewer", "outsider")
            ]
            assert statuses == [200, 200, 404], path
        assert (await made.call("viewer", "GET", f"/task/{task_id}")).status_code == 404
        assert (await made.call("viewer", "POST", f"/task/{task_id}/regenerate", {})).status_code == 403
        assert (await made.call("outsider", "GET", f"{address}/builds")).status_code == 404


async def test_without_room_in_the_storage_of_the_team_no_build_begins(tmp_path: Path) -> None:
    options = {"plan_limits": True, "team_storage_quota_mb": 1}
    async with people(tmp_path, **options) as made:
        project = await made.project("shop")
        row = await made.call(
            "member", "POST", f"/projects/{project}/blueprints", {"name": "S", "spec": SPEC}
        )
        address = f"/blueprints/{row.json()['id']}/generate"
        states = []
        for _ in range(20):
            answer = await made.call("member", "POST", address, {})
            if answer.status_code != 202:
                break
            task_id = answer.json()["task_id"]
            ticket = (await made.call("member", "POST", f"/task/{task_id}/ticket")).json()["ticket"]
            await events(str(made.accounts.http.base_url), task_id, ticket=ticket)
            task = (await made.call("member", "GET", f"/task/{task_id}")).json()
            states.append((task["state"], (task["error"] or {}).get("code")))
            if task["state"] != "succeeded":
                break
        assert states[-1] == ("failed", "PLAN_LIMIT_REACHED")
        assert len(states) > 1
        shown = (await made.call("owner", "GET", f"/projects/{project}")).json()
        assert shown["storage_used_mb"] == 1
        for row in (await made.call("member", "GET", "/tasks")).json()["tasks"]:
            deleted = await made.call("member", "DELETE", f"/task/{row['task_id']}")
            assert deleted.status_code == 204, deleted.text
        answer = await made.call("member", "POST", address, {})
        task_id = answer.json()["task_id"]
        ticket = (await made.call("member", "POST", f"/task/{task_id}/ticket")).json()["ticket"]
        await events(str(made.accounts.http.base_url), task_id, ticket=ticket)
        assert (await made.call("member", "GET", f"/task/{task_id}")).json()["state"] == "succeeded"
