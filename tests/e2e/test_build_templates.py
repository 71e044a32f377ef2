"""Builds with an uploaded template set: proven ones only, and the same version gives the same commit."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_builds import SPEC, built, regenerated, service, stored
from tests.e2e.test_teams import people
from tests.e2e.test_templates import a_set
from tests.unit.pipelines.build.shop import shop

pytestmark = pytest.mark.campaign

README = "# [[ project.title | md ]]\n\nOf our company.\n"
FLOW = '''"""A flow of our own."""


def run(session: object, parameters: dict[str, object]) -> dict[str, object]:
    # hole: flow/[[ flow.name ]]
    raise NotImplementedError
    # end of hole
'''


def company(version: str = "1.0.0", readme: str = README, flow: str = FLOW) -> dict[str, Any]:
    """A set that replaces two files of the official ones, and adds some."""
    made = a_set(version, **{"README.md.j2": readme, "flow.py.j2": flow})
    made["manifest"]["files"] = [
        *made["manifest"]["files"],
        {"path": "README.md", "template": "README.md.j2"},
        {"path": "backend/app/flows/[[ flow.name ]].py", "template": "flow.py.j2", "for": "flow"},
    ]
    return made


async def proven(http: httpx.AsyncClient, content: dict[str, Any]) -> str:
    answer = await http.post("/templates", json=content)
    assert answer.status_code == 201, answer.text
    found = await http.post(f"/templates/{answer.json()['id']}/prove")
    assert found.json()["status"] == "proven", found.text
    return str(answer.json()["id"])


async def files_of(http: httpx.AsyncClient, task: dict[str, Any]) -> dict[str, str]:
    download = await http.get(f"/task/{task['task_id']}/artifact")
    with zipfile.ZipFile(io.BytesIO(download.content)) as project:
        return {name.partition("/")[2]: project.read(name).decode() for name in project.namelist()}


async def test_a_proven_set_adds_and_replaces_files(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, shop())
        plain = await built(http, blueprint)
        template = await proven(http, company())
        first = await built(http, blueprint, template_set=template)
        second = await built(http, blueprint, template_set=template)
        assert first["state"] == "succeeded", first
        same = ("commit", "tree", "checksum", "archive_sha256")
        assert [first[name] for name in same] == [second[name] for name in same]
        assert first["commit"] != plain["commit"]
        assert (first["template_set"], plain["template_set"]) == (template, None)
        assert first["template_version"]["version"] == "1.0.0"
        files = await files_of(http, first)
        assert files["README.md"].endswith("Of our company.\n")
        assert files["models/order.py"].startswith('"""')
        assert {"backend/app/main.py", "LICENSE"} <= files.keys()
        assert "A flow of our own" in files["backend/app/flows/ship_order.py"]
        assert "raise NotImplementedError" not in files["backend/app/flows/ship_order.py"]  # by rules
        # What was built before goes with its version, although the set is deleted, and a newer one is there.
        newer = await proven(http, company("1.0.1", README + "\nTwo.\n"))
        assert (await http.delete(f"/templates/{template}")).status_code == 204
        again = await http.post(f"/task/{first['task_id']}/regenerate", json={})
        assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "template_set")
        third = await regenerated(http, first, template_set=newer)
        assert third["changes"]["changed_paths"] == ["README.md"]
        fourth = await regenerated(http, third)
        assert (fourth["commit"], fourth["template_set"]) == (third["commit"], newer)
        assert (await regenerated(http, third, template_set=None))["commit"] == plain["commit"]


async def test_a_set_that_drops_a_hole_or_clashes_with_a_file(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = await stored(http, shop())
        dropped = await proven(http, company("1.0.0", flow='"""No hole."""\n'))
        task = await built(http, blueprint, template_set=dropped)
        report = (await http.get(f"/task/{task['task_id']}/qa-report")).json()
        assert (task["state"], report["holes"]) == ("succeeded", [])
        clash = company("1.0.1")
        clash["manifest"]["files"][-2]["path"] = "readme.md"
        task = await built(http, blueprint, template_set=await proven(http, clash))
        assert (task["state"], task["error"]["code"]) == ("failed", "UNSAFE_TREE"), task
        assert task["error"]["stage"] == "rendering"


async def test_what_is_not_proven_is_applied_by_nobody(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        project = await made.project("shop")
        row = await made.call(
            "member", "POST", f"/projects/{project}/blueprints", {"name": "S", "spec": SPEC}
        )
        address = f"/blueprints/{row.json()['id']}/generate"
        draft = await made.call("member", "POST", "/templates", {**company(), "project_id": project})
        template = draft.json()["id"]
        refused = await made.call("member", "POST", address, {"template_set": template})
        assert (refused.status_code, refused.json()["code"]) == (409, "TEMPLATE_NOT_PROVEN")
        await made.call("member", "POST", f"/templates/{template}/prove")
        stack = {"tech_stack": {"template_set": template}}
        changed = await made.call("owner", "PATCH", f"/projects/{project}", stack)
        assert changed.status_code == 200, changed.text
        accepted = await made.call("member", "POST", address, {})
        task = await made.call("member", "GET", f"/task/{accepted.json()['task_id']}")
        assert task.json()["template_set"] == template
        without = await made.call("member", "POST", address, {"template_set": None})
        task = await made.call("member", "GET", f"/task/{without.json()['task_id']}")
        assert task.json()["template_set"] is None
        own = await made.call("outsider", "POST", "/blueprints", {"name": "S", "spec": SPEC})
        foreign = await made.call(
            "outsider", "POST", f"/blueprints/{own.json()['id']}/generate", {"template_set": template}
        )
        assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "template_set")
