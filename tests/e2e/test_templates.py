"""Template sets over HTTP: uploaded, proven, rejected, shared, applied."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_blueprints import SPEC, service, stored
from tests.e2e.test_teams import People, people

pytestmark = pytest.mark.campaign

MODEL = """\"\"\"[[ entity.label | doc ]]\"\"\"

TABLE = [[ entity.table | py ]]
FIELDS = {
{% for field in entity.fields %}
    [[ field.name | py ]]: [[ field.label | py ]],
{% endfor %}
}
"""
NOT_IN_THE_CORPUS = """\"\"\"A model.\"\"\"
{% if entity.name == "Invoice" %}[[ entity.nothing ]]{% endif %}
"""
MANIFEST = {
    "name": "plain",
    "version": "1.0.0",
    "files": [
        {"path": "models/[[ entity.module ]].py", "template": "model.py.j2", "for": "entity"},
        {"path": "package.json", "template": "package.json.j2"},
    ],
    "copies": [{"path": "LICENSE", "source": "LICENSE"}],
}
SOURCES = {
    "model.py.j2": MODEL,
    "package.json.j2": '{"name": [[ project.slug | ts ]], "description": [[ project.title | ts ]]}\n',
    "LICENSE": "MIT\n",
}


def a_set(version: str = "1.0.0", **sources: str) -> dict[str, Any]:
    return {"name": "Plain", "manifest": {**MANIFEST, "version": version}, "files": SOURCES | sources}


def zipped(manifest: Mapping[str, Any], sources: Mapping[str, str] = SOURCES) -> dict[str, Any]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("plain/manifest.json", json.dumps(manifest))
        for name, text in sources.items():
            archive.writestr(f"plain/{name}", text)
    return {"file": ("plain.zip", buffer.getvalue(), "application/zip")}


async def posted(http: httpx.AsyncClient, path: str, status: int = 200, **more: Any) -> dict[str, Any]:
    answer = await http.post(path, **more)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_a_set_is_uploaded_proven_and_applied(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        blueprint = (await stored(http, SPEC))["id"]
        draft = await posted(http, "/templates", 201, json={**a_set(), "framework": "flask"})
        address = f"/templates/{draft['id']}"
        assert (draft["code"], draft["version_tag"], draft["status"]) == ("plain", "1.0.0", "draft")
        assert (await posted(http, f"{address}/publish", 409))["code"] == "TEMPLATE_NOT_PROVEN"
        refused = await posted(http, f"{address}/apply", 409, json={"blueprint_id": blueprint})
        assert refused["code"] == "TEMPLATE_NOT_PROVEN"
        proven = await posted(http, f"{address}/prove")
        assert (proven["status"], proven["findings"]) == ("proven", [])
        applied = await posted(http, f"{address}/apply", json={"blueprint_id": blueprint})
        assert [one["path"] for one in applied["files"]] == [
            "LICENSE",
            "models/customer.py",
            "models/order.py",
            "package.json",
        ]
        packed = await http.get(f"{address}/project.zip", params={"blueprint_id": blueprint})
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            assert archive.namelist() == [one["path"] for one in applied["files"]]
            assert "客户's" in archive.read("models/customer.py").decode()
        assert (await posted(http, f"{address}/publish"))["is_public"] is True
        listed = (await http.get("/templates", params={"framework": "flask"})).json()
        assert [one["id"] for one in listed["items"]] == [draft["id"]]
        assert listed["official"] == []


async def test_a_careless_set_is_rejected_with_file_and_line(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        careless = MODEL.replace("[[ field.label | py ]]", '"[[ field.label ]]"')
        draft = await posted(http, "/templates", 201, json=a_set(**{"model.py.j2": careless}))
        address = f"/templates/{draft['id']}"
        rejected = await posted(http, f"{address}/prove")
        assert rejected["status"] == "rejected"
        found = rejected["findings"][0]
        assert (found["blueprint"], Path(found["file"]).parent.name) == ("hostile_names", "models")
        assert found["line"] > 0
        blueprint = (await stored(http, SPEC))["id"]
        refused = await posted(http, f"{address}/apply", 409, json={"blueprint_id": blueprint})
        assert refused["code"] == "TEMPLATE_NOT_PROVEN"
        wrong = a_set("1.0.1", **{"model.py.j2": NOT_IN_THE_CORPUS})
        broken = await posted(http, "/templates", 201, json=wrong)
        other = (await stored(http, {"dataModels": [{"name": "Invoice"}]}))["id"]
        path, body = f"/templates/{broken['id']}/apply", {"blueprint_id": other}
        assert (await posted(http, f"/templates/{broken['id']}/prove"))["status"] == "proven"
        refused = await posted(http, path, 409, json=body)
        assert refused["code"] == "TEMPLATE_FAILED"
        assert refused["detail"].startswith("model.py.j2 line 2: ")
        invalid = await stored(http, {"dataModels": [{"name": "class"}]})
        refused = await posted(http, path, 409, json={"blueprint_id": invalid["id"]})
        assert refused["code"] == "BLUEPRINT_INVALID"


async def test_versions_are_immutable_and_follow_each_other(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        first = await posted(http, "/templates/upload", 201, files=zipped(MANIFEST), data={"name": "A"})
        address = f"/templates/{first['id']}"
        taken = await posted(http, f"{address}/upload", 409, files=zipped(MANIFEST))
        assert taken["code"] == "ALREADY_TAKEN"
        newer = zipped({**MANIFEST, "version": "1.1.0"})
        second = await posted(http, f"{address}/upload", 201, files=newer)
        assert (second["previous_id"], second["status"], second["name"]) == (first["id"], "draft", "A")
        versions = (await http.get(f"/templates/{second['id']}/versions")).json()["versions"]
        assert [one["version_tag"] for one in versions] == ["1.1.0", "1.0.0"]
        other = await posted(http, f"{address}/upload", 422, files=zipped({**MANIFEST, "name": "other"}))
        assert other["errors"][0]["field"] == "file"
        changed = await http.patch(address, json={"tags": ["x"]}, headers={"If-Match": '"1"'})
        assert changed.json()["tags"] == ["x"]
        assert (await http.patch(address, json={"manifest": {}})).status_code == 422
        again = await http.get(f"{address}/archive.zip")
        files = {"file": ("a.zip", again.content, "application/zip")}
        await http.delete(address)
        assert (await posted(http, "/templates/upload", 201, files=files))["sha256"] == first["sha256"]


async def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        for files, field in (
            ({"file": ("a.tar", b"", "application/x-tar")}, "file"),
            ({"file": ("a.zip", b"PK", "application/zip")}, "file"),
            (zipped(MANIFEST, SOURCES | {"../x": "x"}), "file"),
            (zipped({**MANIFEST, "version": "1"}), "manifest.version"),
            (zipped(MANIFEST, {}), "manifest.files.0.template"),
        ):
            refused = await posted(http, "/templates/upload", 422, files=files)
            assert refused["errors"][0]["field"] == field, refused
        wrong = {**a_set(), "files": {}}
        refused = await posted(http, "/templates", 422, json=wrong)
        assert refused["errors"][0]["field"] == "manifest.files.0.template"
        large = {"file": ("a.zip", b"0" * (4 * 2**20 + 1), "application/zip")}
        assert (await posted(http, "/templates/upload", 413, files=large))["code"] == "BODY_TOO_LARGE"


async def test_official_sets_are_listed_downloaded_and_applied_but_never_changed(tmp_path: Path) -> None:
    async with service(tmp_path) as http:
        official = (await http.get("/templates", params={"is_official": "true"})).json()["official"]
        assert {"common", "fastapi"} <= {one["code"] for one in official}
        (fastapi,) = (await http.get("/templates", params={"q": "fastapi"})).json()["official"]
        address = f"/templates/{fastapi['id']}"
        shown = (await http.get(address)).json()
        assert {"entity", "flow"} <= {one.get("for") for one in shown["manifest"]["files"]}
        blueprint = (await stored(http, SPEC))["id"]
        applied = await posted(http, f"{address}/apply", json={"blueprint_id": blueprint})
        preview = (await http.get(f"/blueprints/{blueprint}/preview")).json()["files"]
        digests = {one["path"]: one["sha256"] for one in preview}
        assert {one["path"]: one["sha256"] for one in applied["files"]}.items() <= digests.items()
        archive = (await http.get(f"{address}/archive.zip")).content
        for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/prove"), ("POST", "/publish")):
            body = {"json": {"name": "x"}} if method == "PATCH" else {}
            refused = await http.request(method, f"{address}{path}", **body)
            assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN"), path
        own = await posted(
            http, "/templates/upload", 201, files={"file": ("f.zip", archive, "application/zip")}
        )
        assert own["sha256"] == fastapi["sha256"]
        assert (await posted(http, f"/templates/{own['id']}/prove"))["findings"] == []


@pytest.mark.one_process("what a role may do is the same whoever answers")
async def test_others_apply_proven_sets_only(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        project = await made.project("templates")
        body = {**a_set(), "project_id": project}
        assert (await made.call("viewer", "POST", "/templates", body)).status_code == 403
        assert (await made.call("outsider", "POST", "/templates", body)).status_code == 422
        address = f"/templates/{(await made.call('member', 'POST', '/templates', body)).json()['id']}"
        applications = {
            name: {"blueprint_id": await a_blueprint(made, name)} for name in ("viewer", "outsider", "member")
        }

        async def apply(name: str) -> tuple[int, str]:
            answer = await made.call(name, "POST", f"{address}/apply", applications[name])
            return answer.status_code, answer.json().get("code", "")

        assert await apply("member") == (409, "TEMPLATE_NOT_PROVEN")
        assert await apply("viewer") == (409, "TEMPLATE_NOT_PROVEN")
        assert await apply("outsider") == (404, "NOT_FOUND")
        assert (await made.call("viewer", "POST", f"{address}/prove")).status_code == 403
        assert (await made.call("admin", "POST", f"{address}/prove")).json()["status"] == "proven"
        assert await apply("viewer") == (200, "")
        assert await apply("outsider") == (404, "NOT_FOUND")
        assert (await made.call("member", "POST", f"{address}/publish")).status_code == 200
        assert await apply("outsider") == (200, "")
        for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/prove"), ("POST", "/publish")):
            changed = {"name": "Mine"} if method == "PATCH" else None
            assert (await made.call("outsider", method, f"{address}{path}", changed)).status_code == 404
        versions = (await made.call("outsider", "GET", f"{address}/versions")).json()["versions"]
        assert [one["version_tag"] for one in versions] == ["1.0.0"]
        withdrawn = await made.call("member", "PATCH", address, {"is_public": False})
        assert withdrawn.json()["is_public"] is False
        assert await apply("outsider") == (404, "NOT_FOUND")


async def a_blueprint(made: People, name: str) -> str:
    answer = await made.call(name, "POST", "/blueprints", {"name": "Own", "spec": SPEC})
    return str(answer.json()["id"])
