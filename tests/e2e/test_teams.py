"""Teams and projects over HTTP: what each role may do, as the table of permissions says it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from gencode.workspace.permissions import PERMISSIONS
from gencode.workspace.routes import GUARDED_OPERATIONS
from gencode.workspace.teams.roles import TEAM_ROLES, TeamRole
from tests.e2e.test_accounts import Team as Accounts
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = pytest.mark.campaign

ROLES = [role.value for role in TeamRole]
OPERATIONS = {operation.name: operation for operation in GUARDED_OPERATIONS}
LAST = ("leaveTeam", "transferTeam", "deleteTeam")
"""Operations after which the caller's role is another one."""


@dataclass(kw_only=True)
class People:
    """Five users: one of each role in a team, and an outsider. `members`: ids by user."""

    accounts: Accounts
    team: str
    members: Mapping[str, str]

    async def call(self, name: str, method: str, path: str, body: Any = None) -> httpx.Response:
        options = {} if body is None else {"json": body}
        return await self.accounts.call(name, method, path, **options)

    async def project(self, code: str, **fields: Any) -> str:
        """The id of a new project of the team."""
        body = {"team_id": self.team, "name": code, "code": code, "visibility": "team", **fields}
        answer = await self.call("owner", "POST", "/projects", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


@asynccontextmanager
async def people(folder: Path, model: Any = None, **options: Any) -> AsyncIterator[People]:
    async with (
        running_app(settings(folder, model, workspace=True, **options)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        accounts = Accounts(http=http)
        await accounts.create("root", "admin")
        for name in (*ROLES, "outsider"):
            await accounts.create(name, "user", headers=accounts.bearer("root"))
        yield await found_team(accounts, "core")


async def found_team(accounts: Accounts, code: str) -> People:
    created = await accounts.call("owner", "POST", "/teams", json={"name": "Core", "code": code})
    assert created.status_code == 201, created.text
    made = People(accounts=accounts, team=created.json()["id"], members={})
    for name in ROLES[1:]:
        body = {"username": name, "role": name}
        added = await made.call("owner", "POST", f"/teams/{made.team}/members", body)
        assert (added.status_code, added.json()["invited_by"]) == (201, created.json()["owner"]), added.text
    listed = (await made.call("viewer", "GET", f"/teams/{made.team}/members")).json()["items"]
    assert [(one["username"], one["role"]) for one in listed] == [(name, name) for name in ROLES]
    made.members = {one["username"]: one["id"] for one in listed}
    return made


async def attempt(made: People, name: str, operation: str, number: int) -> int:
    """The status of a call with everything that it needs to succeed. `number`: another one for each call."""
    one = OPERATIONS[operation]
    guest, project = f"guest-{number}", ""
    member = made.members["viewer"]
    if operation in ("changeTeamMember", "removeTeamMember", "transferTeam"):
        added = await made.call("owner", "POST", f"/teams/{made.team}/members", {"api_key": guest})
        member = added.json()["id"]
    if "{id:uuid}" in one.path and one.path.startswith("/projects"):
        project = await made.project(f"p-{number}")
    path = one.path.replace("{id:uuid}", project or made.team).replace("{member_id:uuid}", member)
    bodies = {
        "changeTeam": {"name": "Changed"},
        "addTeamMember": {"api_key": f"{guest}-2"},
        "changeTeamMember": {"role": "viewer"},
        "transferTeam": {"member_id": member},
        "createProject": {"team_id": made.team, "name": "New", "code": f"new-{number}"},
        "changeProject": {"description": "Changed"},
        "cloneProject": {"new_name": "Copy"},
    }
    return (await made.call(name, one.method, path, bodies.get(operation))).status_code


def expected(name: str, operation: str) -> set[int]:
    least = PERMISSIONS[operation].team
    assert least
    if name == "outsider":
        return {422} if operation == "createProject" else {404}
    if not TeamRole(name).includes(least):
        return {403}
    return {409} if (name, operation) == ("owner", "leaveTeam") else {200, 201, 204}


@pytest.mark.one_process("it makes hundreds of calls, whose outcome does not depend on who answers them")
async def test_every_operation_of_a_team_follows_the_table(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        names = [name for name in TEAM_ROLES if name not in LAST]
        calls = [(operation, name) for operation in names for name in (*ROLES, "outsider")]
        for number, (operation, name) in enumerate(calls):
            status = await attempt(made, name, operation, number)
            assert status in expected(name, operation), (name, operation)
        for number, operation in enumerate(LAST):
            for name in ("outsider", *reversed(ROLES)):
                made = await found_team(made.accounts, f"last-{number}-{name}")
                status = await attempt(made, name, operation, 1000 + number)
                assert status in expected(name, operation), (name, operation)


async def test_an_answer_says_what_its_caller_may_do(tmp_path: Path) -> None:
    async with people(tmp_path) as there:
        project = f"/projects/{await there.project('shop')}"
        created = await there.call("owner", "POST", f"{project}/blueprints", {"name": "Shop"})
        blueprint = f"/blueprints/{created.json()['id']}"
        everything, nothing = "GET, PATCH, DELETE", "GET"
        wanted = {
            f"/teams/{there.team}": [everything, "GET, PATCH", nothing, nothing],
            project: [everything, everything, nothing, nothing],
            blueprint: [everything, everything, everything, nothing],
        }
        for path, allowed in wanted.items():
            answers = [await there.call(role, "GET", path) for role in ROLES]
            assert [answer.headers["allow"] for answer in answers] == allowed, path
        await there.call("owner", "POST", f"{project}/archive")
        assert (await there.call("owner", "GET", blueprint)).headers["allow"] == nothing


async def test_the_life_of_a_team(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        team = f"/teams/{made.team}"
        project = await made.project("shop", visibility="private", tech_stack={"backend": "fastapi"})
        shown = await made.call("admin", "GET", f"/projects/{project}")
        assert (shown.headers["etag"], shown.json()["status"]) == ('"1"', "active")
        assert (await made.call("member", "GET", f"/projects/{project}")).status_code == 404
        await made.call("admin", "PATCH", f"/projects/{project}", {"visibility": "team"})
        stale = await made.accounts.http.post(
            f"/api/v1/projects/{project}/archive",
            headers={**made.accounts.bearer("admin"), "If-Match": '"1"'},
        )
        assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_CHANGED")
        archived = await made.call("admin", "POST", f"/projects/{project}/archive")
        assert archived.json()["status"] == "archived"
        listed = (await made.call("member", "GET", f"/projects?team_id={made.team}&status=archived")).json()
        assert [one["id"] for one in listed["items"]] == [project]
        refused = await made.call("owner", "DELETE", team)
        assert (refused.status_code, refused.json()["code"]) == (409, "TEAM_HAS_PROJECTS")
        refused = await made.call("owner", "POST", f"{team}/leave")
        assert (refused.status_code, refused.json()["code"]) == (409, "TEAM_NEEDS_OWNER")
        body = {"member_id": made.members["member"]}
        assert (await made.call("owner", "POST", f"{team}/transfer", body)).status_code == 200
        assert (await made.call("owner", "POST", f"{team}/leave")).status_code == 204
        assert (await made.call("owner", "GET", f"/projects/{project}")).status_code == 404
        assert (await made.call("member", "DELETE", f"/projects/{project}")).status_code == 204
        assert (await made.call("member", "DELETE", team)).status_code == 204
        audit = (await made.call("root", "GET", f"/audit?subject=Team:{made.team}&limit=100")).json()[
            "entries"
        ]
        actions = [entry["action"] for entry in reversed(audit)]
        assert actions[0] == "Team.created"
        assert actions[-3:] == ["TeamMember.transferred", "TeamMember.removed", "Team.deleted"]


async def test_members_come_in_pages_and_bad_bodies_are_told(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        path, seen, cursor = f"/teams/{made.team}/members", [], ""
        while cursor is not None:
            page = (await made.call("viewer", "GET", f"{path}?limit=3&cursor={cursor}")).json()
            seen += [one["username"] for one in page["items"]]
            cursor = page["next_cursor"]
        assert seen == ROLES
        for body, field in (
            ({}, "user_id"),
            ({"username": "owner", "api_key": "x"}, "user_id"),
            ({"username": "nobody"}, "username"),
            ({"username": "outsider", "role": "owner"}, "role"),
            ({"api_key": "user:1"}, "api_key"),
        ):
            refused = await made.call("owner", "POST", path, body)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        again = await made.call("owner", "POST", path, {"username": "viewer"})
        assert (again.status_code, again.json()["code"]) == (409, "ALREADY_TAKEN")


def prompt(name: str) -> dict[str, Any]:
    return {"prompt": "a static page that says hello", "repo_name": name}


async def test_plans_limit_generations_members_and_projects(tmp_path: Path) -> None:
    options = {"plan_limits": True, "plan_free_generations": 2, "team_max_members": 4, "team_max_projects": 1}
    async with people(tmp_path, **options) as made:
        statuses: list[int] = []

        async def generate(name: str) -> None:
            statuses.append((await made.call("viewer", "POST", "/generate", prompt(name))).status_code)

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(generate, f"page-{number}")
        assert sorted(statuses) == [202, 202, 402, 402, 402]
        refused = await made.call("viewer", "POST", "/generate", prompt("again"))
        assert (refused.status_code, refused.json()["code"]) == (402, "PLAN_LIMIT_REACHED")
        assert "ask an admin of the service" in refused.json()["detail"]
        user = f"/users/{made.accounts.ids['viewer']}"
        changed = await made.call("root", "PATCH", user, {"subscription_level": "enterprise"})
        assert changed.json()["subscription_level"] == "enterprise"
        for _ in range(2):  # a repetition with the same key is no other generation
            answer = await made.accounts.http.post(
                "/api/v1/generate",
                json=prompt("keyed"),
                headers={**made.accounts.bearer("viewer"), "Idempotency-Key": "once"},
            )
            assert answer.status_code == 202
        used = (await made.call("viewer", "GET", "/users/me/subscription")).json()
        assert (used["monthly_generation_used"], used["monthly_generation_limit"]) == (3, 1000)
        assert (await made.call("viewer", "PATCH", user, {"subscription_level": "free"})).status_code == 403
        await made.project("one")
        for path, body in (
            (f"/teams/{made.team}/members", {"username": "outsider"}),
            ("/projects", {"team_id": made.team, "name": "Two", "code": "two"}),
        ):
            refused = await made.call("owner", "POST", path, body)
            assert (refused.status_code, refused.json()["code"]) == (402, "PLAN_LIMIT_REACHED"), refused.text
        plan = {"max_members": 5, "max_projects": None, "subscription_plan": "team"}
        assert (await made.call("owner", "PATCH", f"/teams/{made.team}/plan", plan)).status_code == 403
        assert (await made.call("root", "PATCH", f"/teams/{made.team}/plan", plan)).json()["max_members"] == 5
        ended = {"subscription_ends_on": "2020-02-29"}
        assert (await made.call("root", "PATCH", f"/teams/{made.team}/plan", ended)).status_code == 200
        used = (await made.call("owner", "GET", f"/teams/{made.team}/usage")).json()
        assert (used["subscription_plan"], used["subscription_ends_on"]) == ("free", "2020-02-29")
        for end in ("2021-02-29", "tomorrow"):
            wrong = {"subscription_ends_on": end}
            assert (await made.call("root", "PATCH", f"/teams/{made.team}/plan", wrong)).status_code == 422
        forever = {"subscription_ends_on": None}
        assert (await made.call("root", "PATCH", f"/teams/{made.team}/plan", forever)).status_code == 200
        usage = (await made.call("viewer", "GET", f"/teams/{made.team}/usage")).json()
        assert (usage["members"], usage["projects"]) == ({"used": 4, "limit": 5}, {"used": 1, "limit": 1})
        assert usage["generations"] == {"used": 0, "limit": 100}
        added = await made.call("owner", "POST", f"/teams/{made.team}/members", {"username": "outsider"})
        assert added.status_code == 201


async def test_a_project_is_cloned_and_counted(tmp_path: Path) -> None:
    async with people(tmp_path) as made:
        project = await made.project("shop")
        cloned = await made.call("viewer", "POST", f"/projects/{project}/clone", {"new_name": "Mine"})
        assert (cloned.status_code, cloned.json()["team_id"]) == (201, None), cloned.text
        stats = (await made.call("viewer", "GET", f"/projects/{project}/stats")).json()
        assert (stats["member_count"], stats["generation_count"]) == (4, 0)
        for name in ("outsider", "owner"):
            stats = await made.call(name, "GET", f"/projects/{cloned.json()['id']}/stats")
            assert stats.status_code == 404


async def test_a_submission_that_is_refused_for_another_reason_is_not_counted(tmp_path: Path) -> None:
    gate = anyio.Event()
    limits = {
        "plan_limits": True,
        "plan_free_generations": 8,
        "max_waiting_tasks": 1,
        "max_concurrent_tasks": 1,
    }
    async with (
        model_server(plan_and_files({"index.html": "<p>hello</p>"}, gates={"index.html": gate})) as model,
        people(tmp_path, model, **limits) as made,
    ):
        statuses = [
            (await made.call("viewer", "POST", "/generate", prompt(f"page-{number}"))).status_code
            for number in range(8)
        ]
        gate.set()
        used = (await made.call("viewer", "GET", "/users/me/subscription")).json()
        assert 503 in statuses
        assert used["monthly_generation_used"] == statuses.count(202) < 8
