"""Row 138: what can be known of a host before the first paid call, at the hosts and by whole tasks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gencode.client import Client
from gencode.githosts.directory_host import DirectoryHost
from gencode.githosts.errors import (
    HostAuth,
    HostForbidden,
    HostInvalid,
    HostOrg,
    HostUnavailable,
    RepoExists,
)
from tests.servers.githost import Fault, ScriptedHost
from tests.servers.github import github_server
from tests.servers.hosts import HostClient, host_client, host_server
from tests.servers.model import model_server, plan_and_files
from tests.servers.service import running_app, settings
from tests.servers.stream import events
from tests.unit.githosts.samples import SNAPSHOT, SPEC

pytestmark = pytest.mark.fault(138)
KINDS = ["github", "gitea", "forgejo", "gitlab", "gitee", "bitbucket"]
FILES = {"app.py": "print('hello')\n", "README.md": "# Hello\n"}
ACME = replace(SPEC, org="acme")


@asynccontextmanager
async def host(kind: str, tmp_path: Path) -> AsyncIterator[tuple[ScriptedHost, HostClient]]:
    async with host_server(kind, tmp_path) as server, host_client(kind, server.url) as client:
        yield server, client
        assert not server.effects
        assert {request.method for request in server.requests} <= {"GET"}


# --- each host ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("org", [None, "acme", "octo"])
async def test_a_free_name_passes(tmp_path: Path, kind: str, org: str | None) -> None:
    async with host(kind, tmp_path) as (_, client):
        await client.host.check(replace(SPEC, org=org))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("org", [None, "acme"])
@pytest.mark.parametrize("description", [None, "mine", "[gencode:1] was here", "[gencode:12]"])
async def test_a_taken_name_is_reported(
    tmp_path: Path, kind: str, org: str | None, description: str | None
) -> None:
    async with host(kind, tmp_path) as (server, client):
        await server.add("hello", description, owner=org)
        with pytest.raises(RepoExists, match="choose another repo_name and retry"):
            await client.host.check(replace(SPEC, org=org))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_repository_of_the_task_itself_passes(tmp_path: Path, kind: str) -> None:
    async with host_server(kind, tmp_path) as server, host_client(kind, server.url) as client:
        await client.host.create(SPEC, SNAPSHOT)
        await client.host.check(SPEC)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_token_is_reported(tmp_path: Path, kind: str) -> None:
    async with host(kind, tmp_path) as (server, client):
        server.token = "another"
        with pytest.raises(HostAuth):
            await client.host.check(SPEC)
        assert client.backoff == []


@pytest.mark.parametrize("kind", KINDS)
async def test_an_absent_organisation_is_reported(tmp_path: Path, kind: str) -> None:
    async with host(kind, tmp_path) as (_, client):
        with pytest.raises(HostOrg, match="no organisation 'nowhere'"):
            await client.host.check(replace(SPEC, org="nowhere"))


@pytest.mark.parametrize(("kind", "spec"), [("gitea", ACME), ("forgejo", ACME), ("gitlab", SPEC)])
async def test_a_user_who_may_not_create_is_reported(tmp_path: Path, kind: str, spec: Any) -> None:
    async with host(kind, tmp_path) as (server, client):
        server.may_create = False
        with pytest.raises(HostForbidden, match="may create no repositories"):
            await client.host.check(spec)


SCOPES: list[tuple[str, bool, bool]] = [
    ("repo, workflow", True, True),
    ("public_repo", False, True),
    ("public_repo", True, False),
    ("read:user", False, False),
    ("", True, True),
]


@pytest.mark.parametrize(("scopes", "private", "passes"), SCOPES)
async def test_the_scopes_of_a_classic_token_are_read(
    tmp_path: Path, scopes: str, private: bool, passes: bool
) -> None:
    async with host("github", tmp_path) as (server, client):
        server.fail("repo", Fault(status=404, headers={"x-oauth-scopes": scopes}, body={"message": "no"}))
        spec = replace(SPEC, private=private)
        if passes:
            await client.host.check(spec)
        else:
            with pytest.raises(HostForbidden, match="needs one of the scopes"):
                await client.host.check(spec)


async def test_what_the_host_does_not_let_the_token_read_decides_nothing(tmp_path: Path) -> None:
    for status in (400, 403, 404):
        async with host("gitea", tmp_path / str(status)) as (server, client):
            server.fail("permissions", Fault(status=status, body={"message": "no"}))
            await client.host.check(ACME)


async def test_the_old_name_of_a_renamed_repository_is_free(tmp_path: Path) -> None:
    async with host("github", tmp_path) as (server, client):
        await server.add("new-name")
        moved = {"location": "/api/v3/repos/octo/new-name"}
        server.fail("repo", Fault(status=301, headers=moved))
        await client.host.check(SPEC)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_host_that_does_not_answer_is_asked_three_times(tmp_path: Path, kind: str) -> None:
    async with host(kind, tmp_path) as (server, client):
        server.fail("repo", Fault(status=503), times=2)
        await client.host.check(SPEC)
        server.fail("repo", Fault(status=503), times=3)
        with pytest.raises(HostUnavailable):
            await client.host.check(SPEC)
        assert len(client.backoff) == 4


async def test_a_directory_is_checked_without_a_change(tmp_path: Path) -> None:
    root = tmp_path / "repos"
    root.mkdir()
    directory = DirectoryHost(root, label="disk")
    await directory.check(SPEC)
    await directory.check(ACME)
    assert not list(root.iterdir())
    (root / "hello.git").mkdir()
    with pytest.raises(RepoExists):
        await directory.check(SPEC)
    (root / "acme").symlink_to(tmp_path)
    with pytest.raises(HostInvalid, match="is a link"):
        await directory.check(ACME)
    other = replace(SPEC, name="other")
    await directory.create(other, SNAPSHOT)
    await directory.check(other)


# --- whole tasks --------------------------------------------------------------------------------------


async def refused(tmp_path: Path, prepare: Any, body: Mapping[str, Any], **more: Any) -> tuple[Any, Any]:
    """The failure of a task, and the model, which must not have been called."""
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github, **more)) as app,
        Client(app.url) as client,
    ):
        await prepare(github)
        task_id = (await client.submit("say hello", "hello", **body))["task_id"]
        heard = await events(app.url, task_id)
        task = await client.task(task_id)
        assert not model.requests
        assert not github.effects
        return heard, task


async def nothing(github: ScriptedHost) -> None:
    return


async def taken(github: ScriptedHost) -> None:
    await github.add("hello", "another's")


async def wrong_token(github: ScriptedHost) -> None:
    github.token = "another"


TASKS: list[tuple[Any, Mapping[str, Any], str]] = [
    (taken, {}, "REPO_EXISTS"),
    (taken, {"approve_plan": True}, "REPO_EXISTS"),
    (wrong_token, {}, "GITHUB_AUTH"),
    (nothing, {"github_org": "nowhere"}, "GITHUB_ORG"),
]


@pytest.mark.parametrize(("prepare", "body", "code"), TASKS)
async def test_a_task_that_could_not_be_delivered_costs_nothing(
    tmp_path: Path, prepare: Any, body: Mapping[str, Any], code: str
) -> None:
    heard, task = await refused(tmp_path, prepare, body)
    assert heard[-1].data["code"] == code
    assert task["error"]["stage"] == "generating"
    assert {event.kind for event in heard} <= {"status", "error"}


async def test_a_name_that_is_taken_meanwhile_is_still_refused(tmp_path: Path) -> None:
    async with (
        model_server(plan_and_files(FILES)) as model,
        github_server(tmp_path / "github") as github,
        running_app(settings(tmp_path, model, github)) as app,
        Client(app.url) as client,
    ):
        github.fail("repo", Fault(status=404, body={"message": "Not Found"}))
        await github.add("hello", "another's")
        task_id = (await client.submit("say hello", "hello"))["task_id"]
        heard = await events(app.url, task_id)
        assert (heard[-1].data["code"], heard[-1].data["stage"]) == ("REPO_EXISTS", "creating_repo")
        paid = len(model.requests)
        await client.retry(task_id, repo_name="hello-2")
        rest = await events(app.url, task_id, after=heard[-1].id)
        assert rest[-1].data["status"] == "completed"
        assert len(model.requests) == paid
        assert json.loads(github.seen("create")[-1].body)["name"] == "hello-2"


async def test_a_host_that_is_away_fails_the_task_before_the_model_is_paid(tmp_path: Path) -> None:
    async def away(github: ScriptedHost) -> None:
        github.fail("user", Fault(status=503, headers={"retry-after": "3600"}), times=3)

    heard, task = await refused(tmp_path, away, {})
    assert heard[-1].data["code"] == "GITHUB_UNAVAILABLE"
    assert task["error"]["retryable"] is True
