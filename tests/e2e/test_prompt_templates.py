"""Prompt templates over HTTP: what every resource has, and rendering, export and import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_accounts import Team, team
from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign

BODY: dict[str, Any] = {
    "name": "Review of Python",
    "identifier": "review-python",
    "content": "Review this {{ language }} code:\n{{ code }}\n",
    "category": "code_review",
    "tags": ["python", "评审"],
}


async def made(people: Team, user: str, **fields: Any) -> httpx.Response:
    answer = await people.call(user, "POST", "/prompts", json=BODY | fields)
    assert answer.status_code == 201, answer.text
    return answer


async def test_without_accounts_templates_are_the_local_principals(tmp_path: Path) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1") as http,
    ):
        created = (await http.post("/prompts", json=BODY)).json()
        assert (created["owner"], created["variables"]) == ("local", ["language", "code"])
        listed = (await http.get("/prompts", params={"category": "code_review"})).json()
        assert (listed["items"], listed["next_cursor"]) == ([created], None)


async def test_a_template_is_created_changed_by_version_and_deleted(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        created = await made(people, "tester")
        path = f"/prompts/{created.json()['id']}"
        assert created.headers["etag"] == '"1"'
        old = people.bearer("tester") | {"If-Match": '"1"'}
        changed = await people.http.patch(f"/api/v1{path}", json={"tags": []}, headers=old)
        assert (changed.status_code, changed.headers["etag"], changed.json()["tags"]) == (200, '"2"', [])
        assert changed.json()["content"] == BODY["content"]
        refused = await people.http.patch(f"/api/v1{path}", json={"name": "x"}, headers=old)
        assert (refused.status_code, refused.json()["code"]) == (412, "VERSION_CHANGED")
        wrong = await people.http.patch(f"/api/v1{path}", json={}, headers=old | {"If-Match": "2"})
        assert wrong.status_code == 422
        assert (await people.http.delete(f"/api/v1{path}", headers=old)).status_code == 412
        assert (await people.call("tester", "DELETE", path)).status_code == 204
        assert (await people.call("tester", "GET", path)).status_code == 404


async def test_only_the_owner_changes_a_public_template_and_everybody_renders_it(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        path = f"/prompts/{(await made(people, 'tester')).json()['id']}"
        for name in ("user", "admin"):
            assert (await people.call(name, "GET", path)).status_code == 404
        await people.call("tester", "PATCH", path, json={"is_public": True})
        values = {"variables": {"language": "Python", "code": "{{ language }}"}}
        rendered = await people.call("user", "POST", f"{path}/render", json=values)
        assert rendered.json() == {"text": "Review this Python code:\n{{ language }}\n"}
        shown = await people.call("user", "GET", path)
        assert (shown.json()["usage_count"], shown.headers["etag"]) == (1, '"2"')
        for method in ("PATCH", "DELETE"):
            body = {"json": {}} if method == "PATCH" else {}
            assert (await people.call("user", method, path, **body)).status_code == 404
        missing = await people.call("user", "POST", f"{path}/render", json={"variables": {"code": ""}})
        assert missing.json()["errors"] == [
            {"field": "variables.language", "rule": "variable", "message": "is needed"}
        ]


async def test_an_export_is_an_import(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        await made(people, "tester")
        await made(people, "tester", identifier="second", name="Second", is_public=True)
        exported = (await people.call("tester", "GET", "/prompts/export")).json()
        assert [one["identifier"] for one in exported["templates"]] == ["review-python", "second"]
        for outcome in (
            {"created": ["review-python", "second"], "changed": []},
            {"created": [], "changed": ["review-python", "second"]},
        ):
            answer = await people.call("user", "POST", "/prompts/import", json=exported)
            assert answer.json() == outcome
        assert (await people.call("user", "GET", "/prompts/export")).json() == exported
        twice = {"templates": exported["templates"][:1] * 2}
        assert (await people.call("user", "POST", "/prompts/import", json=twice)).status_code == 422


@pytest.mark.parametrize(
    "broken",
    [
        {"identifier": "Has Capitals"},
        {"identifier": ""},
        {"category": "other"},
        {"content": ""},
        {"content": "a\x00b"},
        {"name": "a\nb"},
        {"tags": ["x"] * 21},
        {"tags": None},
        {"usage_count": 5},
        {"owner": "user:other"},
        {"id": "x"},
    ],
)
async def test_a_broken_template_is_refused_by_its_field(tmp_path: Path, broken: dict[str, Any]) -> None:
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1") as http,
    ):
        answer = await http.post("/prompts", json=BODY | broken)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].split(".")[0] == next(iter(broken))
        created = await http.post("/prompts", json=BODY)
        changed = await http.patch(f"/prompts/{created.json()['id']}", json=broken)
        assert changed.status_code == 422
