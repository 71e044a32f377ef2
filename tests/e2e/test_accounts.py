"""Accounts over HTTP: login, tokens, roles, and what each of them may do."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from pydantic import SecretStr

from gencode.auth.key_store import KeyOptions, key_store
from gencode.bootstrap.app import create_app
from gencode.bootstrap.user_administration import create_admin
from gencode.domain.errors import StartError
from gencode.settings import DatabaseSettings, Settings
from gencode.storage.backup import backup, restore
from gencode.workspace.permissions import PERMISSIONS
from gencode.workspace.routes import GUARDED_OPERATIONS
from tests.servers.command import gencode
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings

pytestmark = [
    pytest.mark.one_process("`gencode users` is given DATA_DIR"),
    pytest.mark.campaign,
]

PASSWORD = "correct horse battery"
ROLES = ("admin", "developer", "tester", "user")


@dataclass(kw_only=True)
class Team:
    """An admin, and one user of each other role, who are logged in."""

    http: httpx.AsyncClient
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]['access_token']}"}

    async def call(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.http.request(method, f"/api/v1{path}", headers=self.bearer(name), **options)

    async def log_in(self, name: str, password: str = PASSWORD) -> None:
        form = {"username": name, "password": password}
        answer = await self.http.post("/api/v1/auth/login", data=form)
        assert answer.status_code == 200, answer.text
        self.tokens[name] = answer.json()

    async def create(self, name: str, role: str, **options: Any) -> None:
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "role": role}
        answer = await self.http.post("/api/v1/users", json=body, **options)
        assert answer.status_code == 201, answer.text
        self.ids[name] = answer.json()["id"]
        await self.log_in(name)


@asynccontextmanager
async def team(folder: Path, model: Any = None, **fields: Any) -> AsyncIterator[Team]:
    async with (
        running_app(settings(folder, model, workspace=True, **fields)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        made = Team(http=http)
        await made.create("admin", "admin")  # by the local principal: there are no accounts yet
        for role in ROLES[1:]:
            await made.create(role, role, headers=made.bearer("admin"))
        yield made


async def test_the_first_account_ends_the_access_without_one(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        for path in ("/users", "/tasks", "/users/me"):
            answer = await people.http.get(f"/api/v1{path}")
            assert answer.status_code == 401
            assert "/auth/login" in answer.json()["detail"]
        me = (await people.call("tester", "GET", "/users/me")).json()
        assert (me["username"], me["role"], me["is_active"]) == ("tester", "tester", True)


async def test_a_wrong_login_says_nothing_about_the_user(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        answers = [
            await people.http.post("/api/v1/auth/login", data={"username": name, "password": "wrong"})
            for name in ("tester", "nobody")
        ]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["code"] == "LOGIN_FAILED"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"username=a&username=b&password=c", "application/x-www-form-urlencoded", 400),
        (b"username=%ff&password=c", "application/x-www-form-urlencoded", 400),
        ("username=é&password=c".encode(), "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 200, "application/x-www-form-urlencoded", 400),
        (b"username=a%00&password=c", "application/x-www-form-urlencoded", 422),
        (b"username=a", "application/x-www-form-urlencoded", 422),
        (b"username=a&password=c&grant_type=client_credentials", "application/x-www-form-urlencoded", 422),
        (b'{"username": "a", "password": "c"}', "application/json", 415),
    ],
)
async def test_a_login_that_is_no_form_is_refused(
    tmp_path: Path, body: bytes, kind: str, status: int
) -> None:
    async with running_app(settings(tmp_path, workspace=True)) as app, httpx.AsyncClient() as http:
        headers = {"content-type": kind}
        answer = await http.post(f"{app.url}/api/v1/auth/login", content=body, headers=headers)
        assert answer.status_code == status, answer.text


async def test_tokens_are_refreshed_and_a_logout_ends_them(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        old = people.tokens["tester"]
        answer = await people.http.post("/api/v1/auth/refresh", json={"refresh_token": old["refresh_token"]})
        people.tokens["tester"] = answer.json()
        assert (await people.call("tester", "POST", "/auth/logout")).status_code == 204
        assert (await people.call("tester", "GET", "/users/me")).status_code == 401
        people.tokens["tester"] = old
        assert (await people.call("tester", "GET", "/users/me")).status_code == 401
        again = await people.http.post("/api/v1/auth/refresh", json={"refresh_token": old["refresh_token"]})
        assert (again.status_code, again.json()["code"]) == (401, "SESSION_ENDED")


async def test_a_logout_ends_the_streams_of_the_session(tmp_path: Path) -> None:
    gate, has_begun = anyio.Event(), anyio.Event()
    async with (
        model_server(plan_and_files({"a.py": ""}, gates={"": gate})) as model,
        team(tmp_path, model) as people,
    ):
        body = {"prompt": "say hello", "repo_name": "hello"}
        accepted = (await people.call("tester", "POST", "/generate", json=body)).json()
        path = f"/api/v1/status/{accepted['task_id']}"
        assert (await people.http.get(path, headers=people.bearer("user"))).status_code == 404

        async def follow() -> None:
            async with people.http.stream("GET", path, headers=people.bearer("tester")) as stream:
                assert stream.status_code == 200
                async for _ in stream.aiter_bytes():
                    has_begun.set()

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await has_begun.wait()
            await people.call("tester", "POST", "/auth/logout")
        gate.set()


async def test_a_logout_ends_tickets_and_their_streams(tmp_path: Path) -> None:
    gate, has_begun = anyio.Event(), anyio.Event()
    async with (
        model_server(plan_and_files({"a.py": ""}, gates={"": gate})) as model,
        team(tmp_path, model) as people,
    ):
        body = {"prompt": "say hello", "repo_name": "hello"}
        task_id = (await people.call("tester", "POST", "/generate", json=body)).json()["task_id"]
        ticket = (await people.call("tester", "POST", f"/task/{task_id}/ticket")).json()["ticket"]
        path = f"/api/v1/status/{task_id}?ticket={ticket}"

        async def follow() -> None:
            async with people.http.stream("GET", path) as stream:
                assert stream.status_code == 200
                async for _ in stream.aiter_bytes():
                    has_begun.set()

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await has_begun.wait()
            await people.call("tester", "POST", "/auth/logout")
        assert (await people.http.get(path)).status_code == 401
        gate.set()


async def test_an_address_of_other_letters_is_unique_and_logs_in_in_any_case(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        body = {"username": "new", "email": "Ärger@example.com", "password": PASSWORD}
        assert (await people.call("admin", "POST", "/users", json=body)).status_code == 201
        again = body | {"username": "other", "email": "ärger@example.com"}
        assert (await people.call("admin", "POST", "/users", json=again)).status_code == 409
        for name in ("Ärger@example.com", "ÄRGER@EXAMPLE.COM"):
            await people.log_in(name)


async def test_a_key_that_looks_like_a_token_is_sent_as_x_api_key(tmp_path: Path) -> None:
    chosen = settings(tmp_path, workspace=True, api_keys=SecretStr("bob=eyA.b.c"))
    async with running_app(chosen) as app, httpx.AsyncClient(base_url=app.url) as http:
        for name, value, status in (("X-API-Key", "eyA.b.c", 200), ("Authorization", "Bearer eyA.b.c", 401)):
            assert (await http.get("/api/v1/tasks", headers={name: value})).status_code == status


async def test_accounts_suffice_on_other_addresses_and_do_not_vanish_with_the_setting(tmp_path: Path) -> None:
    open_to_all = settings(tmp_path, workspace=True, server_host="0.0.0.0")
    with pytest.raises(StartError, match="would let anyone in"):
        await start(open_to_all)
    await made_by_command(tmp_path)
    await start(open_to_all)
    with pytest.raises(StartError, match="holds accounts, and WORKSPACE is off"):
        await start(settings(tmp_path))


async def start(chosen: Settings) -> None:
    app = create_app(chosen)
    async with app.router.lifespan_context(app):
        assert app.state.wants_key


async def test_the_commands_say_what_is_wrong_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        said = await gencode("audit", "verify", data_dir=tmp_path / folder, status=2)
        assert "has no workspace.db: set DATA_DIR" in said
        assert not (tmp_path / folder / "audit.key").exists()
    variables = {"GENCODE_PASSWORD": PASSWORD}
    create = ("users", "create-admin", "alice", "--email", "a@example.com")
    assert "alice is an admin now" in await gencode(*create, data_dir=tmp_path / "new", settings=variables)
    assert (tmp_path / "new/workspace.db").stat().st_mode & 0o777 == 0o600
    (tmp_path / "new/audit.key").write_bytes(b"cut")
    said = await gencode("audit", "verify", data_dir=tmp_path / "new", status=2)
    assert "audit.key is damaged" in said
    assert (tmp_path / "new/audit.key").read_bytes() == b"cut"


async def test_registration_is_off_until_it_is_switched_on(tmp_path: Path) -> None:
    body = {"username": "new", "email": "new@example.com", "password": PASSWORD}
    async with team(tmp_path / "off") as people:
        answer = await people.http.post("/api/v1/auth/register", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    async with team(tmp_path / "on", allow_registration=True) as people:
        answer = await people.http.post("/api/v1/auth/register", json=body)
        assert (answer.status_code, answer.json()["role"]) == (201, "user")
        assert (
            await people.http.post("/api/v1/auth/register", json={**body, "role": "admin"})
        ).status_code == 422
        assert (await people.http.post("/api/v1/auth/register", json=body)).status_code == 409
        await people.log_in("new")


async def test_users_change_their_profile_and_password_and_nothing_else(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        changed = await people.call("user", "PATCH", "/users/me", json={"nickname": "小明", "position": None})
        assert changed.json()["nickname"] == "小明"
        for forbidden in ({"role": "admin"}, {"is_active": False}, {"username": "x"}, {"email": None}):
            assert (await people.call("user", "PATCH", "/users/me", json=forbidden)).status_code == 422
        new = "another long password"
        wrong = {"current_password": "wrong", "new_password": new}
        assert (await people.call("user", "POST", "/auth/password", json=wrong)).status_code == 401
        right = {"current_password": PASSWORD, "new_password": new}
        assert (await people.call("user", "POST", "/auth/password", json=right)).status_code == 204
        await people.log_in("user", new)


@pytest.mark.parametrize("password", ["Sh0rt!?", "x" * 2000])
async def test_a_weak_password_is_refused(tmp_path: Path, password: str) -> None:
    async with team(tmp_path) as people:
        body = {"username": "new", "email": "new@example.com", "password": password}
        answer = await people.call("admin", "POST", "/users", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "password"
        assert password not in answer.text


async def test_a_demoted_or_deactivated_user_loses_access_at_once(tmp_path: Path) -> None:
    async with team(tmp_path) as people:
        path = f"/users/{people.ids['developer']}"
        assert (await people.call("admin", "PATCH", path, json={"is_active": False})).status_code == 200
        assert (await people.call("developer", "GET", "/users/me")).status_code == 401
        assert (await people.call("admin", "DELETE", path)).status_code == 204
        assert (await people.call("admin", "GET", path)).status_code == 404
        last = f"/users/{people.ids['admin']}"
        for method, body in (("DELETE", None), ("PATCH", {"role": "user"})):
            answer = await people.call("admin", method, last, json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "LAST_ADMIN")


async def test_a_backup_during_logins_brings_accounts_and_their_audit_log(tmp_path: Path) -> None:
    file, new = tmp_path / "backup.zip", tmp_path / "new"
    async with team(tmp_path) as people:

        async def log_in_often() -> None:
            while True:
                await people.log_in("tester")

        async with anyio.create_task_group() as group:
            group.start_soon(log_in_often)
            await anyio.to_thread.run_sync(backup, tmp_path / "data", file)
            group.cancel_scope.cancel()
        refresh_token = people.tokens["user"]["refresh_token"]
    restore(file, new / "data")
    async with running_app(settings(new, workspace=True)) as app, httpx.AsyncClient(base_url=app.url) as http:
        people = Team(http=http)
        answer = await http.post("/api/v1/auth/refresh", json={"refresh_token": refresh_token})
        assert answer.status_code == 200
        await people.log_in("tester")
        assert (await people.call("tester", "GET", "/users/me")).json()["username"] == "tester"
    assert "entries are in order" in await gencode("audit", "verify", data_dir=new / "data")
    with closing(sqlite3.connect(new / "data" / "workspace.db")) as database, database:
        database.execute("UPDATE audit_log SET actor = 'x' WHERE position = 2")
    found = await gencode("audit", "verify", data_dir=new / "data", status=1)
    assert "entry 2 is missing or was changed" in found


# --- the table of permissions -------------------------------------------------------------------------

FOR_ADMINS = {
    *("listUsers", "createUser", "getUser", "changeUser", "deleteUser", "resetPassword"),
    "listAuditLog",
    "listSystemLog",
    "changeTeamPlan",
}
FOR_USERS = {
    *("logOut", "getOwnUser", "changeOwnUser", "changeOwnPassword", "listOwnSessions", "endOwnSession"),
    "getOwnSubscription",
}


FOR_EVERYBODY = {
    *("listConversations", "createConversation", "getConversation", "changeConversation"),
    *("deleteConversation", "listMessages", "getMessage", "showBranch", "exportConversation"),
    *("listRequirementDocuments", "createRequirementDocument", "getRequirementDocument"),
    *("changeRequirementDocument", "deleteRequirementDocument", "uploadRequirementDocument"),
    *("parseRequirementDocument", "getRequirementChanges"),
    *("listKnowledgeBases", "createKnowledgeBase", "getKnowledgeBase", "changeKnowledgeBase"),
    *("deleteKnowledgeBase", "searchKnowledgeBase", "verifyQuotes", "listKnowledgeChunks"),
    *("listKnowledgeDocuments", "addKnowledgeDocument", "uploadKnowledgeDocument"),
    *("getKnowledgeDocument", "indexKnowledgeDocument", "deleteKnowledgeDocument"),
    *("listModelConfigs", "createModelConfig", "getModelConfig", "changeModelConfig", "deleteModelConfig"),
    *("testModelConfig", "getUsage"),
    *("listGitCredentials", "createGitCredential", "getGitCredential", "changeGitCredential"),
    *(
        "deleteGitCredential",
        "testGitCredential",
        "listGitRepositories",
        "createGitRepository",
        "getGitRepository",
    ),
    *("changeGitRepository", "deleteGitRepository", "startRepositorySync", "listRepositoryBranches"),
    *("listRepositoryCommits", "getRepositoryTree", "getRepositoryFile"),
    *("listCodeDiffs", "createCodeDiff", "getCodeDiff", "changeCodeDiff", "deleteCodeDiff"),
    *("createPatchDiff", "getCodeDiffContent", "getCodeDiffPatch"),
    *("listReviewFindings", "getReviewFinding", "decideReviewFinding"),
    *("listPromptTemplates", "createPromptTemplate", "getPromptTemplate", "changePromptTemplate"),
    *("listTeams", "createTeam", "getTeam", "changeTeam", "deleteTeam", "transferTeam", "leaveTeam"),
    *("listTeamMembers", "addTeamMember", "changeTeamMember", "removeTeamMember", "listTeamProjects"),
    *("listProjects", "createProject", "getProject", "changeProject", "deleteProject"),
    *("listBlueprints", "createBlueprint", "getBlueprint", "changeBlueprint", "deleteBlueprint"),
    *("validateBlueprint", "createProjectBlueprint", "listProjectBlueprints", "examineBlueprint"),
    *("previewBlueprint", "downloadBlueprintProject", "compareBlueprint", "getBlueprintHistory"),
    *("publishBlueprint", "createBlueprintVersion", "importBlueprint", "exportBlueprint"),
    *("listDeployments", "createDeployment", "getDeployment", "changeDeployment", "deleteDeployment"),
    *("listProjectDeployments", "renderDeployment"),
    *("listBlueprintProposals", "getBlueprintProposal", "acceptBlueprintProposal", "rejectBlueprintProposal"),
    *("listTemplates", "createTemplate", "getTemplate", "changeTemplate", "deleteTemplate"),
    *("uploadTemplate", "uploadTemplateVersion", "listTemplateVersions", "proveTemplate"),
    *("publishTemplate", "downloadTemplate", "applyTemplate", "downloadAppliedTemplate"),
    *("archiveProject", "unarchiveProject", "cloneProject", "getProjectStats", "getTeamUsage"),
    *("deletePromptTemplate", "renderPromptTemplate", "exportPromptTemplates", "importPromptTemplates"),
}


def test_the_table_has_every_operation_and_no_other() -> None:
    assert (
        {operation.name for operation in GUARDED_OPERATIONS}
        == set(PERMISSIONS)
        == FOR_ADMINS | FOR_USERS | FOR_EVERYBODY
    )


async def test_every_operation_lets_in_the_roles_of_the_table_and_nobody_else(tmp_path: Path) -> None:
    """A request that is let in fails by its empty body or its unknown id, or does nothing that matters."""
    key, _ = key_store(tmp_path / "data").create("robot")
    operator, _ = key_store(tmp_path / "data").create("operator", KeyOptions(operator=True))
    async with (
        running_app(settings(tmp_path, workspace=True)) as app,
        httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=60) as http,
    ):
        people = Team(http=http)
        await made_by_command(tmp_path)
        await people.log_in("admin")
        for role in ROLES[1:]:
            await people.create(role, role, headers=people.bearer("admin"))
        callers = {role: people.bearer(role) for role in ROLES}
        callers |= {"robot": {"X-API-Key": key}, "operator": {"X-API-Key": operator}, "nobody": {}}
        for operation in sorted(GUARDED_OPERATIONS, key=lambda one: one.name == "logOut"):
            path = operation.path.replace("{id:uuid}", "0b1f4c1e-8f43-4c53-b1a4-8a3d7a4f2f10")
            for caller, headers in callers.items():
                answer = await http.request(operation.method, f"/api/v1{path}", headers=headers)
                assert answer.status_code != 500
                assert (answer.status_code not in (401, 403)) == may(caller, operation.name), (
                    f"{caller} {operation.name}: {answer.text}"
                )


def may(caller: str, operation: str) -> bool:
    if operation in FOR_EVERYBODY:
        return caller != "nobody"
    return caller == "admin" or (caller in ROLES and operation in FOR_USERS)


async def made_by_command(folder: Path) -> None:
    """An admin, as `gencode users create-admin` makes it beside a running service."""
    await create_admin(DatabaseSettings(data_dir=folder / "data"), "admin", "admin@example.com", PASSWORD)
