"""The requests of each dialect: paths, bodies, and how the token is sent. Faults are in tests/faults."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gencode.githosts.commit import commit_sha
from gencode.githosts.errors import HostInvalid
from tests.servers.githost import Fault, basic
from tests.servers.hosts import TOKEN, host_client, host_server
from tests.unit.githosts.samples import SNAPSHOT, SPEC

TEXT = {"description": "Say hello [gencode:1]"}
GITEA = {"name": "hello", **TEXT, "auto_init": False, "default_branch": "main"} | {
    "object_format_name": "sha1"
}
GITLAB = {"name": "hello", "path": "hello", **TEXT, "initialize_with_readme": False}
GITEE = {"name": "hello", "path": "hello", **TEXT, "auto_init": False}
BITBUCKET = {"scm": "git", **TEXT}


@pytest.mark.parametrize(
    ("kind", "org", "private", "path", "body"),
    [
        ("github", None, True, "/api/v3/user/repos", None),
        ("github", "acme", False, "/api/v3/orgs/acme/repos", None),
        ("gitea", None, True, "/api/v1/user/repos", GITEA | {"private": True}),
        ("forgejo", "acme", False, "/api/v1/orgs/acme/repos", GITEA | {"private": False}),
        ("gitlab", None, True, "/api/v4/projects", GITLAB | {"visibility": "private"}),
        ("gitlab", "acme", False, "/api/v4/projects", GITLAB | {"visibility": "public", "namespace_id": 7}),
        (
            "gitlab",
            "acme/tools",
            True,
            "/api/v4/projects",
            GITLAB | {"visibility": "private", "namespace_id": 8},
        ),
        ("gitee", None, True, "/api/v5/user/repos", GITEE | {"private": True}),
        ("gitee", "acme", True, "/api/v5/orgs/acme/repos", GITEE | {"private": True, "public": 0}),
        ("gitee", "acme", False, "/api/v5/orgs/acme/repos", GITEE | {"private": False, "public": 1}),
        ("bitbucket", None, True, "/2.0/repositories/octo/hello", BITBUCKET | {"is_private": True}),
        (
            "bitbucket",
            "acme/TOOLS",
            False,
            "/2.0/repositories/acme/hello",
            BITBUCKET | {"is_private": False, "project": {"key": "TOOLS"}},
        ),
    ],
)
async def test_the_creation_request_has_the_host_s_path_and_body(
    tmp_path: Path, kind: str, org: str | None, private: bool, path: str, body: dict[str, Any] | None
) -> None:
    async with host_server(kind, tmp_path) as server, host_client(kind, server.url) as client:
        repo = await client.host.create(replace(SPEC, org=org, private=private), SNAPSHOT)
        assert await client.host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)
    (asked,) = server.seen("create")
    assert asked.path == path
    assert body is None or json.loads(asked.body) == body
    assert server.repos[(org or "octo").removesuffix("/TOOLS"), "hello"].private is private


@pytest.mark.parametrize(
    ("kind", "header", "value", "user"),
    [
        ("github", "authorization", f"Bearer {TOKEN}", "x-access-token"),
        ("gitea", "authorization", f"token {TOKEN}", "x-access-token"),
        ("gitlab", "private-token", TOKEN, "oauth2"),
        ("gitee", "authorization", f"Bearer {TOKEN}", "oauth2"),
        ("bitbucket", "authorization", f"Bearer {TOKEN}", "x-token-auth"),
    ],
)
async def test_the_token_is_sent_as_the_host_expects_it(
    tmp_path: Path, kind: str, header: str, value: str, user: str
) -> None:
    async with (
        host_server(kind, tmp_path) as server,
        host_client(kind, server.url, agent="gencode/1.2") as client,
    ):
        await client.host.push(await client.host.create(SPEC, SNAPSHOT), SNAPSHOT)
    (asked,) = server.seen("create")
    (pushed,) = server.seen("receive_pack")
    assert (asked.headers[header], asked.headers["user-agent"]) == (value, "gencode/1.2")
    assert pushed.headers["authorization"] == basic(user, TOKEN)
    assert "private-token" not in pushed.headers


async def test_bitbucket_takes_a_person_s_api_token_with_the_email_address(tmp_path: Path) -> None:
    async with host_server("bitbucket", tmp_path) as server:
        server.person, server.git_user = "octo@example.org", "x-bitbucket-api-token-auth"
        async with host_client("bitbucket", server.url, user="octo@example.org") as client:
            repo = await client.host.create(SPEC, SNAPSHOT)
            assert await client.host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)


async def test_bitbucket_names_are_lower_case(tmp_path: Path) -> None:
    async with host_server("bitbucket", tmp_path) as server, host_client("bitbucket", server.url) as client:
        server.fail("create", Fault(lost=True, after=True))
        repo = await client.host.create(replace(SPEC, name="Hello"), SNAPSHOT)
    assert (repo.name, repo.clone_url) == ("hello", f"{server.url}/octo/hello.git")
    assert server.effects["create"] == 1


async def test_a_missing_project_of_a_workspace_is_reported_with_bitbucket_s_message(tmp_path: Path) -> None:
    async with host_server("bitbucket", tmp_path) as server, host_client("bitbucket", server.url) as client:
        with pytest.raises(HostInvalid, match="Project matching query does not exist"):
            await client.host.create(replace(SPEC, org="acme/NONE"), SNAPSHOT)


async def test_gitee_s_default_branch_is_set_once(tmp_path: Path) -> None:
    async with host_server("gitee", tmp_path) as server, host_client("gitee", server.url) as client:
        repo = await client.host.create(SPEC, SNAPSHOT)
        await client.host.push(repo, SNAPSHOT)
        await client.host.push(repo, SNAPSHOT)
    (asked,) = server.seen("change")
    assert json.loads(asked.body) == {"name": "hello", "default_branch": "main"}


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=403), Fault(lost=True)])
async def test_a_push_succeeds_even_if_the_default_branch_cannot_be_set(tmp_path: Path, fault: Fault) -> None:
    async with host_server("gitee", tmp_path) as server, host_client("gitee", server.url) as client:
        repo = await client.host.create(SPEC, SNAPSHOT)
        server.fail("change", fault)
        assert await client.host.push(repo, SNAPSHOT) == await server.head("hello")


async def test_a_refused_name_is_reported_with_the_host_s_message(tmp_path: Path) -> None:
    async with host_server("gitlab", tmp_path) as server, host_client("gitlab", server.url) as client:
        with pytest.raises(HostInvalid, match="path can contain only letters"):
            await client.host.create(replace(SPEC, name="-hello"), SNAPSHOT)


async def test_a_group_token_without_a_user_creates_in_the_configured_owner(tmp_path: Path) -> None:
    async with (
        host_server("gitlab", tmp_path) as server,
        host_client("gitlab", server.url, owner="acme/tools") as client,
    ):
        server.fail("user", Fault(status=403, body={"message": "403 Forbidden"}))
        assert (await client.host.create(SPEC, SNAPSHOT)).owner == "acme/tools"
