"""Git repositories: their addresses, their credentials, and what a change of the address forgets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.principal import Principal, PrincipalKind
from gencode.domain.task import Task, now
from gencode.embedded.server import address, listen
from gencode.githosts.http_client import http_client
from gencode.storage.memory import MemoryStore
from gencode.workspace.identity.actor import Actor
from gencode.workspace.repositories.clones import source_of
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.local_forge import LocalForge
from gencode.workspace.repositories.resource import GIT_REPOSITORIES, GitRepositoryCreation
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.workspace import Workspace
from tests.servers.githost import served
from tests.servers.workspace import workspace
from tests.unit.workspace.test_git_credentials import ALICE, BOB, ENCRYPTION_KEYS, credential

URL = "https://gitlab.com/team/project"


def values(**fields: Any) -> dict[str, Any]:
    body = {"name": "project", "repository_url": URL, **fields}
    return GitRepositoryCreation.model_validate_json(json.dumps(body)).model_dump(mode="json")


async def repository(opened: Workspace, actor: Actor = ALICE, **fields: Any) -> GitRepository:
    return await opened.resource(GIT_REPOSITORIES).create(values(**fields), actor)


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:octo/project.git",
        "ssh://git@github.com/octo/project",
        "git://github.com/octo/project",
        "file:///etc",
        "/etc",
        "../project",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "https://token@github.com/octo/project",
        "https://user:token@github.com/octo/project",
        "https://github.com/octo/project?ref=main",
        "https://github.com/octo/project#main",
        "https://github.com\\@evil.example/x",
        "https://github.com/octo/../../x",
        "https://github.com/octo//x",
        "https://github.com/-x/y",
        "https://github.com/",
        "https://github.com",
        "https://github.com/octo/pro ject",
        "https://github.com/octo/\u0000",
        "https://" + "a" * 1000,
        "",
    ],
)
def test_addresses_that_are_no_repositories_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        values(repository_url=url)


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "a~1", "a^", "a:b", "@{1}", "a.lock", "\x1b", ""])
def test_names_that_are_no_branches_are_refused(branch: str) -> None:
    with pytest.raises(ValidationError):
        values(branch=branch)


@pytest.mark.parametrize("branch", ["main", "feature/x", "release-1.0", "功能"])
def test_names_of_branches_are_taken(branch: str) -> None:
    assert values(branch=branch)["branch"] == branch


def test_a_slash_at_the_end_does_not_count() -> None:
    assert values(repository_url=f"{URL}/")["repository_url"] == URL


async def test_a_credential_is_ones_own_and_for_this_host(database_url: str) -> None:
    async with workspace(database_url, encryption_keys=ENCRYPTION_KEYS) as opened:
        own, of_bob = await credential(opened), await credential(opened, BOB)
        elsewhere = await credential(opened, provider="github")
        row = await repository(opened, credential_id=own.id)
        for other in (of_bob, elsewhere):
            with pytest.raises(Invalid, match="credential_id"):
                await repository(opened, credential_id=other.id)
            with pytest.raises(Invalid, match="credential_id"):
                await opened.resource(GIT_REPOSITORIES).change(
                    row.id, {"credential_id": other.id}, ALICE, None
                )
        with pytest.raises(Invalid, match="credential_id"):
            await opened.resource(GIT_REPOSITORIES).change(
                row.id, {"repository_url": "https://evil.example/team/project"}, ALICE, None
            )


async def test_another_address_forgets_what_was_synced(database_url: str) -> None:
    async with workspace(database_url) as opened:
        rows = opened.resource(GIT_REPOSITORIES)
        row = await repository(opened)
        async with opened.database.transaction() as session:
            stored = await session.get(GitRepository, row.id)
            assert stored is not None
            stored.sync_status, stored.head_commit, stored.is_local = "success", "1" * 40, True
            stored.branches = "[]"
        await rows.change(row.id, {"name": "renamed"}, ALICE, None)
        assert (await rows.get(row.id, ALICE.id)).head_commit == "1" * 40
        await rows.change(row.id, {"repository_url": f"{URL}2"}, ALICE, None)
        changed = await rows.get(row.id, ALICE.id)
        assert (changed.sync_status, changed.head_commit, changed.is_local) == ("pending", None, False)


async def test_a_row_of_others_is_not_there(database_url: str) -> None:
    async with workspace(database_url) as opened:
        row = await repository(opened)
        with pytest.raises(NotFound):
            await opened.resource(GIT_REPOSITORIES).get(row.id, BOB.id)


def test_a_clone_of_the_forge_is_known_wherever_the_forge_listens() -> None:
    rows = [
        GitRepository(repository_url=f"http://127.0.0.1:{port}/local/page", is_local=True)
        for port in (8081, 9000)
    ]
    assert {source_of(row) for row in rows} == {"local:/local/page"}
    assert source_of(GitRepository(repository_url=URL, is_local=False)) == URL


# --- the local forge ------------------------------------------------------------------------------------


@asynccontextmanager
async def forge_of(creator: str) -> AsyncIterator[LocalForge]:
    """A forge on which `creator` has created local/page. The principal "local" is the operator."""
    store, at = MemoryStore(), now()
    principal = Principal(id=creator, kind=PrincipalKind.USER)
    task = Task(id="task-1", kind="generate", principal=principal, created_at=at, updated_at=at)
    await store.create(task, {}, [])

    async def answer(request: Request) -> Response:
        is_page = request.url.path == "/api/v3/repos/local/page"
        description = "A page [gencode:task-1]" if is_page else "by hand"
        return JSONResponse({"description": description})

    sock = listen()
    async with served(Starlette(routes=[Route("/{path:path}", answer)]), sock), http_client() as http:
        yield LocalForge(
            url=address(sock),
            http=http,
            store=store,
            is_unrestricted=lambda principal: principal == "local",
        )


async def test_users_read_on_the_forge_what_their_own_tasks_have_created() -> None:
    async with forge_of(ALICE.id) as forge:
        await forge.require_access(f"{forge.url}/local/page.git", ALICE.id)
        await forge.require_access(f"{forge.url}/local/other", "local")
        for path in ("local/page", "local/other", "local/page/../other", "local", "a/b/c", "local/page%2f"):
            with pytest.raises(RepositoryUnusable):
                await forge.require_access(f"{forge.url}/{path}", BOB.id)
        with pytest.raises(RepositoryUnusable):
            await forge.require_access(f"{forge.url}/local/other", ALICE.id)


async def test_the_forge_is_known_by_its_origin() -> None:
    async with forge_of(ALICE.id) as forge:
        assert forge.has(f"{forge.url}/local/page")
        for other in (f"{forge.url}1", forge.url.replace("http", "https"), "http://localhost:8081"):
            assert not forge.has(f"{other}/local/page")
        assert forge.present_url("http://127.0.0.1:7000/local/page") == f"{forge.url}/local/page"
        assert not replace(forge, url="").has(f"{forge.url}/local/page")
