"""Requirements become a draft, and changes of a draft are proposed: over HTTP, with the offline model and a
scripted one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.servers.calls import client, get, post
from tests.servers.model import USAGE, Body, ModelServer, Reply, model_server, text
from tests.servers.service import App, environment, running_app, service, settings
from tests.servers.stream import events, subscribed

pytestmark = pytest.mark.campaign
EXAMPLE = "我需要一个用户管理系统，包含用户注册、登录、权限管理、用户列表展示和编辑功能..."
SUBMIT = "/pipelines/blueprint"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@asynccontextmanager
async def offline(folder: Path, **options: Any) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    async with (
        running_app(settings(folder, workspace=True, **options)) as app,
        httpx.AsyncClient(base_url=f"{app.url}/api/v1", trust_env=False, timeout=60) as http,
    ):
        yield app, http


async def parsed(url: str, path: str = SUBMIT, **body: Any) -> dict[str, Any]:
    """The task, when it is over."""
    answer = await post(url, path, body)
    assert answer.status_code == 202, answer.text
    task_id = answer.json()["task_id"]
    await events(url, task_id)
    found: dict[str, Any] = await get(url, f"/api/v1/task/{task_id}")
    return found


async def test_the_example_becomes_a_draft_without_errors_that_can_be_published(tmp_path: Path) -> None:
    async with offline(tmp_path) as (app, http):
        task = await parsed(app.url, text=EXAMPLE)
        assert task["state"] == "succeeded", task
        assert (task["entity_count"], task["error_count"], task["by_rules"]) == (3, 0, True)
        draft = (await http.get(f"/blueprints/{task['blueprint_id']}")).json()
        assert (draft["name"], draft["is_draft"], draft["errors"]) == ("用户管理系统", True, 0)
        assert [model["label"] for model in draft["spec"]["dataModels"]] == ["用户", "角色", "权限"]
        told = await events(app.url, task["task_id"])
        elements = [one.data for one in told if one.kind == "element"]
        assert {"kind": "entity", "name": "User", "label": "用户", "part": "outline"}.items() <= elements[
            0
        ].items()
        assert {one["part"] for one in elements} == {"outline", "details"}
        made = (await http.get(f"/task/{task['task_id']}/blueprint")).json()
        assert made["spec"] == draft["spec"]
        assert (made["is_complete"], made["findings"]) == (True, [])
        assert (await http.get(f"/blueprints/{draft['id']}/project.zip")).status_code == 200
        assert (await http.post(f"/blueprints/{draft['id']}/publish")).status_code == 200
        refused = await http.post(f"/blueprints/{draft['id']}/parse", json={"text": "x"})
        assert (refused.status_code, refused.json()["code"]) == (409, "BLUEPRINT_PUBLISHED")


async def test_a_change_is_proposed_and_a_person_decides(tmp_path: Path) -> None:
    async with offline(tmp_path) as (app, http):
        draft = (await parsed(app.url, text=EXAMPLE))["blueprint_id"]
        before = (await http.get(f"/blueprints/{draft}")).json()
        proposals = f"/blueprints/{draft}/proposals"
        first = await parsed(app.url, f"/blueprints/{draft}/parse", text="给用户添加昵称字段")
        second = await parsed(app.url, SUBMIT, text="把用户的手机号改名为联系电话", blueprint_id=draft)
        assert (await http.get(f"/blueprints/{draft}")).json() == before, "nothing is changed yet"
        listed = (await http.get(proposals)).json()["items"]
        assert [one["id"] for one in listed] == [second["proposal_id"], first["proposal_id"]]
        assert {(one["status"], one["base_version"], one["changes"]) for one in listed} == {("pending", 1, 1)}
        one = f"{proposals}/{first['proposal_id']}"
        shown = (await http.get(one, headers={"Accept-Language": "zh"})).json()
        assert shown["is_current"]
        assert [line["text"] for line in shown["difference"]["operations"]] == ["User：新增字段“昵称”"]
        assert [step["op"] for step in shown["difference"]["patch"]] == ["add"]

        stale = await http.post(f"{one}/accept", headers={"If-Match": '"7"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_CHANGED")
        accepted = await http.post(f"{one}/accept", headers={"If-Match": '"1"'})
        assert (accepted.status_code, accepted.headers["ETag"]) == (200, '"2"')
        assert accepted.json()["proposal"]["status"] == "accepted"
        changed = (await http.get(f"/blueprints/{draft}")).json()
        assert changed["spec"] == shown["spec"]
        again = await http.post(f"{one}/accept")
        assert (again.status_code, again.headers["ETag"]) == (200, '"2"')

        other = f"{proposals}/{second['proposal_id']}"
        outdated = await http.post(f"{other}/accept")
        assert (outdated.status_code, outdated.json()["code"]) == (409, "PROPOSAL_OUTDATED")
        assert not (await http.get(other)).json()["is_current"]
        assert (await http.post(f"{other}/reject")).json()["status"] == "rejected"
        assert (await http.post(f"{other}/reject")).status_code == 200
        decided = await http.post(f"{other}/accept")
        assert (decided.status_code, decided.json()["code"]) == (409, "PROPOSAL_DECIDED")
        rejected = await http.post(f"{one}/reject")
        assert (rejected.status_code, rejected.json()["code"]) == (409, "PROPOSAL_DECIDED")
        pending = await http.get(proposals, params={"status": "pending"})
        assert pending.json()["items"] == []
        await http.delete(f"/blueprints/{draft}")
        for path in (proposals, one):
            assert (await http.get(path)).status_code == 404


async def test_documents_and_places_are_checked_before_a_task_is_stored(tmp_path: Path) -> None:
    async with offline(tmp_path) as (app, http):
        draft = (await http.post("/blueprints", json={"name": "D"})).json()["id"]
        for body, status, field in (
            ({}, 422, "text"),
            ({"text": " \n"}, 422, "text"),
            ({"text": "x", "requirement_ids": [UNKNOWN]}, 422, "requirement_ids.0"),
            ({"text": "x", "project_id": UNKNOWN}, 422, "project_id"),
            ({"text": "x", "blueprint_id": draft, "name": "N"}, 422, "name"),
            ({"text": "x", "blueprint_id": UNKNOWN}, 404, ""),
            ({"text": "x", "model": "config/x"}, 422, "model"),
            ({"text": "x" * 400_001}, 422, "text"),
        ):
            refused = await http.post(SUBMIT, json=body)
            found = refused.json().get("errors") or [{"field": ""}]
            assert (refused.status_code, found[0]["field"]) == (status, field), body
        assert (await http.post(f"/blueprints/{UNKNOWN}/parse", json={"text": "x"})).status_code == 404
        assert (await get(app.url, "/api/v1/tasks"))["tasks"] == []


async def test_documents_of_requirements_and_a_project_with_a_version_already(tmp_path: Path) -> None:
    async with offline(tmp_path) as (app, http):
        document = {"name": "Shop", "original_content": "Customers place orders. Order (number, total)"}
        document_id = (await http.post("/requirements", json=document)).json()["id"]
        project = (await http.post("/projects", json={"name": "P", "code": "p"})).json()["id"]
        await http.post("/blueprints", json={"name": "D", "project_id": project, "version_tag": "0.1.0"})
        body = {"requirement_ids": [document_id], "project_id": project}
        first = await parsed(app.url, **body)
        assert (first["version_tag"], first["entity_count"]) == ("0.2.0", 2), first
        second = await parsed(app.url, **body, version_tag="0.2.0", name="Mine")
        assert second["version_tag"] == "0.2.0-2"
        listed = (await http.get(f"/projects/{project}/blueprints")).json()["items"]
        assert {one["version_tag"] for one in listed} == {"0.1.0", "0.2.0", "0.2.0-2"}
        assert listed[0]["name"] == "Mine"


async def test_another_principal_sees_neither_task_nor_proposal(tmp_path: Path) -> None:
    keys = {"alice": "a" * 24, "bob": "b" * 24}
    named = ",".join(f"{name}={key}" for name, key in keys.items())
    variables = environment(WORKSPACE="true", API_KEYS=named)
    async with service(tmp_path, variables) as process, client(process.url) as http:
        alice, bob = ({"X-API-Key": key} for key in keys.values())
        submitted = await http.post(f"/api/v1{SUBMIT}", json={"text": EXAMPLE}, headers=alice)
        task_id = submitted.json()["task_id"]
        stream = await http.get(f"/api/v1/status/{task_id}", headers=alice)
        assert "completed" in stream.text
        draft = (await http.get(f"/api/v1/task/{task_id}", headers=alice)).json()["blueprint_id"]
        parse = f"/api/v1/blueprints/{draft}/parse"
        for path in (f"/api/v1/task/{task_id}/blueprint", f"/api/v1/blueprints/{draft}/proposals"):
            assert (await http.get(path, headers=bob)).status_code == 404
            assert (await http.get(path, headers=alice)).status_code == 200
        assert (await http.post(parse, json={"text": "x"}, headers=bob)).status_code == 404


# --- a scripted model -----------------------------------------------------------------------------------

OUTLINE = [
    {"kind": "application", "name": "shop", "label": "Shop"},
    *({"kind": "entity", "name": f"Thing{number}", "label": f"Thing {number}"} for number in range(6)),
    {"kind": "page", "name": "ThingList", "path": "/things"},
]


def lines(*values: Any) -> str:
    return "\n".join(json.dumps(value) for value in values)


def purpose(body: Body) -> str:
    return str(body["messages"][0]["content"]).partition("\n")[0].removeprefix("Task: blueprint_")


def elements_asked(body: Body) -> list[dict[str, Any]]:
    found = re.search(
        r"Write these elements:\n<<<\w+\n(.*?)\n\w+>>>", body["messages"][1]["content"], re.DOTALL
    )
    return [json.loads(line) for line in found[1].split("\n")] if found else []


def described(asked: dict[str, Any]) -> dict[str, Any]:
    if asked["kind"] == "page":
        return asked | {"components": [{"type": "table", "entity": "Thing0", "name": "t"}]}
    relations = [{"name": "ghost", "target": "Ghost"}] if asked["name"] == "Thing5" else []
    return asked | {"fields": [{"name": "title", "type": "varchar(50)"}], "relations": relations}


def answer(body: Body) -> Reply:
    if purpose(body) == "outline":
        return text(lines(*OUTLINE), usage=USAGE)
    if purpose(body) == "repair":
        mended = {"kind": "entity", "id": "Thing5", "relations": [{"name": "ghost", "target": "Thing0"}]}
        return text(lines(mended), usage=USAGE)
    return text(lines(*map(described, elements_asked(body))), usage=USAGE)


def asked(model: ModelServer) -> list[str]:
    return [purpose(seen.body) for seen in model.requests]


async def scripted(
    tmp_path: Path, script: Callable[[Body], Reply], **body: Any
) -> tuple[Any, Any, list[str]]:
    """The task, what it made, and the purposes of the calls."""
    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
    ):
        task = await parsed(app.url, text="Things", **body)
        made = (
            await get(app.url, f"/api/v1/task/{task['task_id']}/blueprint") if task["blueprint_id"] else None
        )
        return task, made, asked(model)


async def test_an_element_is_told_while_the_answer_is_still_written(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(body: Body) -> Reply:
        if purpose(body) != "outline":
            return answer(body)
        first = f"{json.dumps(OUTLINE[1])}\n"
        parts = list(text(first + lines(*OUTLINE), size=len(first), usage=USAGE).parts)
        return Reply(parts=[parts[0], gate, *parts[1:]])

    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
    ):
        task_id = (await post(app.url, SUBMIT, {"text": "Things"})).json()["task_id"]
        async with subscribed(app.url, task_id) as stream:
            told = await stream.until("element")
            assert (told.data["kind"], told.data["name"], told.data["part"]) == (
                "entity",
                "Thing0",
                "outline",
            )
            gate.set()
            heard = await stream.rest()
        names = [one.data["name"] for one in heard if one.kind == "element" and one.data["part"] == "outline"]
        assert names == [one["name"] for one in OUTLINE[1:]]


async def test_an_error_without_a_certain_fix_goes_back_to_the_model_for_that_element_alone(
    tmp_path: Path,
) -> None:
    task, made, calls = await scripted(tmp_path, answer)
    assert calls == ["outline", "elements", "elements", "elements", "repair"]
    assert (task["error_count"], task["is_complete"], task["entity_count"]) == (0, True, 6)
    (relation,) = made["spec"]["dataModels"][5]["relations"]
    assert (relation["id"], relation["target"]) == ("ghost", "Thing0")


async def test_an_element_that_an_answer_lacks_is_asked_about_once_more(tmp_path: Path) -> None:
    def forgetful(body: Body) -> Reply:
        names = [one["name"] for one in elements_asked(body)]
        if "Thing3" in names and len(names) > 1:
            return text(lines(*(described(one) for one in elements_asked(body)[:2])), usage=USAGE)
        if "ThingList" in names:
            return text("I would rather not.", usage=USAGE)
        return answer(body)

    task, made, _ = await scripted(tmp_path, forgetful)
    assert {group["about"]: group["missing"] for group in made["groups"]} == {
        "elements 1": [],
        "elements 1.1": [],
        "elements 2": [],
        "elements 3": ["ThingList"],
    }
    assert made["groups"][-1]["code"] == "LLM_BAD_OUTPUT"
    assert (task["is_complete"], task["state"]) == (False, "succeeded")
    assert all(model["fields"] for model in made["spec"]["dataModels"])


async def test_hostile_requirements_and_answers_make_a_blueprint_within_its_bounds(tmp_path: Path) -> None:
    def hostile(body: Body) -> Reply:
        if purpose(body) == "outline":
            flood = [{"kind": "entity", "name": f"../../x{number}"} for number in range(1000)]
            return text(lines(*flood), usage=USAGE, size=5000)
        return answer(body)

    task, made, calls = await scripted(tmp_path, hostile)
    assert (task["entity_count"], task["is_complete"], made["left_out"]) == (200, False, 800)
    assert all(".." not in model["id"] + model["name"] for model in made["spec"]["dataModels"])
    assert len(calls) == 1 + 50


async def test_a_draft_that_is_deleted_meanwhile_fails_the_task_which_keeps_what_it_made(
    tmp_path: Path,
) -> None:
    gate = anyio.Event()

    def script(body: Body) -> Reply:
        reply = answer(body)
        return Reply(parts=[gate, *reply.parts]) if purpose(body) == "elements" else reply

    async with (
        model_server(script) as model,
        running_app(settings(tmp_path, model, workspace=True)) as app,
        client(app.url) as http,
    ):
        draft = (await post(app.url, "/blueprints", {"name": "D"})).json()["id"]
        submitted = (await post(app.url, f"/blueprints/{draft}/parse", {"text": "Things"})).json()
        async with subscribed(app.url, submitted["task_id"]) as stream:
            await stream.until("outline")
            await http.delete(f"/api/v1/blueprints/{draft}")
            gate.set()
            await stream.rest()
        task = await get(app.url, f"/api/v1/task/{submitted['task_id']}")
        assert (task["state"], task["error"]["code"]) == ("failed", "NOT_FOUND")
        made = await get(app.url, f"/api/v1/task/{submitted['task_id']}/blueprint")
        assert len(made["spec"]["dataModels"]) == 6


async def test_after_a_kill_the_rest_is_asked_for_and_one_draft_is_made(tmp_path: Path) -> None:
    gate = anyio.Event()

    def script(body: Body) -> Reply:
        reply = answer(body)
        is_second = "Thing5" in [one["name"] for one in elements_asked(body)]
        return Reply(parts=[gate, *reply.parts]) if is_second and not gate.is_set() else reply

    async with model_server(script) as model:
        variables = environment(model, WORKSPACE="true", FILES_AT_ONCE="1")
        async with service(tmp_path, variables) as process:
            submitted = await post(process.url, SUBMIT, {"text": "Things"})
            task_id = submitted.json()["task_id"]
            async with subscribed(process.url, task_id) as stream:
                await stream.until("group", about="elements 1")
            while len(asked(model)) < 3:
                await anyio.sleep(0.01)
            await process.kill()
            gate.set()
            await process.start()
            await events(process.url, task_id)
            assert asked(model) == ["outline", "elements", "elements", "elements", "elements", "repair"]
            listed = (await get(process.url, "/api/v1/blueprints"))["items"]
            task = await get(process.url, f"/api/v1/task/{task_id}")
            assert [one["id"] for one in listed] == [task["blueprint_id"]]
