"""Rows 124 to 137: what hosts say when they refuse, as their users have reported it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gencode.githosts.errors import (
    GitError,
    GitRejected,
    GitUnavailable,
    HostError,
    HostForbidden,
    HostInvalid,
    HostRateLimit,
    PushTooLarge,
    RepoExists,
)
from tests.servers.githost import Fault
from tests.servers.hosts import HostClient, host_client, host_server
from tests.servers.peer import peer
from tests.unit.githosts.samples import SNAPSHOT, SPEC

TAG = "[gencode:1]"


@asynccontextmanager
async def host(kind: str, tmp_path: Path) -> AsyncIterator[tuple[Any, HostClient]]:
    async with host_server(kind, tmp_path) as server, host_client(kind, server.url) as client:
        yield server, client


async def refused(tmp_path: Path, kind: str, fault: Fault, times: int = 1) -> tuple[HostError, HostClient]:
    """The error of a creation that is answered like this, and the client with its waits."""
    async with host(kind, tmp_path) as (server, client):
        server.fail("create", fault, times=times)
        with pytest.raises(HostError) as caught:
            await client.host.create(SPEC, SNAPSHOT)
        assert not server.effects
    return caught.value, client


# --- 124: limits --------------------------------------------------------------------------------------

ABUSE = (
    "You have triggered an abuse detection mechanism and have been temporarily blocked from content creation."
)
LIMITS: list[tuple[str, int, Mapping[str, Any]]] = [
    ("github", 403, {"message": f"{ABUSE} Please retry your request again later."}),
    ("github", 403, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}),
    ("github", 422, {"message": "Validation Failed", "errors": [{"message": "was submitted too quickly"}]}),
    ("github", 403, {"message": "API rate limit exceeded for user ID 1."}),
    (
        "github",
        403,
        {"message": "Forbidden", "documentation_url": "https://developer.github.com/v3/#abuse-rate-limits"},
    ),
    ("gitee", 403, {"message": "403 Forbidden (Rate Limit Exceeded)"}),
    ("gitlab", 403, {"message": "Too Many Requests"}),
    ("bitbucket", 400, {"error": {"message": "The rate limit has been exceeded"}}),
]


@pytest.mark.fault(124)
@pytest.mark.parametrize(("kind", "status", "body"), LIMITS)
async def test_a_limit_that_names_no_time_is_waited_for(
    tmp_path: Path, kind: str, status: int, body: Mapping[str, Any]
) -> None:
    async with host(kind, tmp_path) as (server, client):
        server.fail("create", Fault(status=status, body=body, headers={"x-ratelimit-remaining": "4513"}))
        await client.host.create(SPEC, SNAPSHOT)
        assert client.backoff == [60]
        assert server.effects["create"] == 1


@pytest.mark.fault(124)
async def test_a_limit_that_lasts_fails_with_the_host_s_words(tmp_path: Path) -> None:
    error, client = await refused(tmp_path, "github", Fault(status=403, body={"message": ABUSE}), times=3)
    assert isinstance(error, HostRateLimit)
    assert ABUSE in error.message
    assert client.backoff == [60, 60]


@pytest.mark.fault(125)
@pytest.mark.parametrize(
    "name", ["rate-limit", "saml-sso", "archived", "abuse-detection", "suspended", "ip-allow-list"]
)
async def test_a_name_in_a_refusal_is_no_reason(tmp_path: Path, name: str) -> None:
    text = f"{name} may not create {name}/{name}: see https://github.com/{name}/{name}"
    error, client = await refused(tmp_path, "github", Fault(status=403, body={"message": text}))
    assert type(error).__mro__[1] is HostForbidden
    assert "the token may not do this; it needs" in error.message
    assert client.backoff == []


# --- 128: replicas --------------------------------------------------------------------------------------


@pytest.mark.fault(128)
@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("kind", ["github", "gitea", "gitlab", "gitee", "bitbucket"])
async def test_an_api_that_does_not_know_the_new_repository_yet_is_asked_again(
    tmp_path: Path, kind: str, status: int
) -> None:
    async with host(kind, tmp_path) as (server, client):
        server.fail("repo", Fault(status=status, body={"message": "no"}), times=2)
        await client.host.create(SPEC, SNAPSHOT)
        assert client.pauses == [0.5, 1.0]
        assert client.backoff == []
        assert server.effects["create"] == 1


# --- 129 to 131: the account ------------------------------------------------------------------------------

ACCOUNTS: list[tuple[int, str, int, Mapping[str, Any], str]] = [
    (
        129,
        "github",
        403,
        {"message": "Sorry. Your account was suspended."},
        "account of the token is blocked",
    ),
    (
        129,
        "github",
        403,
        {"message": "Resource protected by organization SAML enforcement."},
        "single sign-on",
    ),
    (
        129,
        "github",
        403,
        {"message": "The `acme` organization has an IP allow list enabled, and 192.0.2.1 is not permitted."},
        "listed IP addresses only",
    ),
    (
        129,
        "gitlab",
        403,
        {"message": "You (@octo) must accept the Terms of Service in order to perform this action."},
        "in a browser first",
    ),
    (
        130,
        "gitea",
        422,
        {"message": "You have already reached your limit of 3 repositories."},
        "no more repositories",
    ),
    (
        130,
        "gitea",
        500,
        {"message": "user has reached maximum limit of repositories [limit: 0]"},
        "no more repositories",
    ),
    (
        130,
        "gitlab",
        400,
        {"message": {"base": ["Your project limit is 0 projects! Please contact your administrator"]}},
        "no more repositories",
    ),
    (
        130,
        "github",
        422,
        {"errors": [{"field": "name", "message": "name can't be private. You are over your quota."}]},
        "quota at the host is used up",
    ),
    (130, "forgejo", 413, {"message": "quota exceeded"}, "quota at the host is used up"),
    (
        131,
        "github",
        422,
        {
            "message": "Repository creation failed.",
            "errors": [
                {
                    "field": "visibility",
                    "message": "Visibility can't be private. Please upgrade your subscription",
                }
            ],
        },
        "another `private`",
    ),
    (
        131,
        "gitlab",
        400,
        {"message": {"visibility_level": ["public has been restricted by your GitLab administrator"]}},
        "another `private`",
    ),
]


@pytest.mark.fault(129, 130, 131)
@pytest.mark.parametrize(("row", "kind", "status", "body", "advice"), ACCOUNTS)
async def test_the_state_of_the_account_is_named_and_not_retried(
    tmp_path: Path, row: int, kind: str, status: int, body: Mapping[str, Any], advice: str
) -> None:
    error, client = await refused(tmp_path, kind, Fault(status=status, body=body))
    assert isinstance(error, HostForbidden), row
    assert advice in error.message
    assert '"' in error.message  # the host's own words follow
    assert client.backoff == []


# --- 132, 133: other reasons than a taken name --------------------------------------------------------

NOT_TAKEN: list[tuple[str, int, Mapping[str, Any]]] = [
    ("gitea", 409, {"message": "Files already exist for this repository. Adopt them or delete them."}),
    ("bitbucket", 400, {"error": {"message": "Project with this Owner and Key already exists."}}),
    ("github", 422, {"errors": [{"field": "description", "message": "already exists"}]}),
    ("gitlab", 400, {"message": {"import_url": ["is blocked"]}}),
]


@pytest.mark.fault(132)
@pytest.mark.parametrize(("kind", "status", "body"), NOT_TAKEN)
async def test_another_conflict_is_not_reported_as_a_taken_name(
    tmp_path: Path, kind: str, status: int, body: Mapping[str, Any]
) -> None:
    error, _ = await refused(tmp_path, kind, Fault(status=status, body=body))
    assert isinstance(error, HostInvalid)
    assert "did not accept the repository" in error.message


TAKEN: list[tuple[str, Fault]] = [
    ("github", Fault(status=422, body={"errors": [{"field": "name", "code": "already_exists"}]})),
    ("gitlab", Fault(status=409, body={"message": "409 Conflict"})),
    ("gitee", Fault(status=200, body={"message": "已存在同地址仓库（忽略大小写）"})),
    ("gitee", Fault(status=422, body={"error": {"base": ["已存在同地址仓库（忽略大小写）"]}})),
    (
        "bitbucket",
        Fault(
            status=400,
            headers={"content-type": "text/plain"},
            body=b"Repository with this Slug and Owner already exists.",
        ),
    ),
]


@pytest.mark.fault(135)
@pytest.mark.parametrize(("kind", "fault"), TAKEN)
async def test_a_taken_name_is_recognised_in_each_form(tmp_path: Path, kind: str, fault: Fault) -> None:
    async with host(kind, tmp_path) as (server, client):
        await server.add("hello", f"Say hello {TAG}")
        server.fail("create", fault)
        repo = await client.host.create(SPEC, SNAPSHOT)
        assert repo.name == "hello"
        server.find(server.login, "hello").description = "another's"
        server.fail("create", fault)
        with pytest.raises(RepoExists):
            await client.host.create(SPEC, SNAPSHOT)


@pytest.mark.fault(133)
async def test_a_refusal_with_status_200_is_one(tmp_path: Path) -> None:
    error, client = await refused(tmp_path, "gitee", Fault(status=200, body={"message": "仓库名称不合法"}))
    assert isinstance(error, HostInvalid)
    assert "仓库名称不合法" in error.message
    assert client.backoff == []


# --- 134: redirects -----------------------------------------------------------------------------------


@pytest.mark.fault(134)
@pytest.mark.parametrize("status", [307, 308])
async def test_an_organisation_that_was_renamed_is_followed(tmp_path: Path, status: int) -> None:
    async with host("github", tmp_path) as (server, client):
        server.fail("create", Fault(status=status, headers={"location": "/api/v3/orgs/acme/repos"}))
        repo = await client.host.create(replace(SPEC, org="old-name"), SNAPSHOT)
        assert repo.owner == "acme"
        assert [request.method for request in server.seen("create")] == ["POST", "POST"]


@pytest.mark.fault(134)
async def test_a_creation_is_not_redirected_to_another_host(tmp_path: Path) -> None:
    async with host("github", tmp_path) as (server, client), peer(lambda _: []) as evil:
        server.fail("create", Fault(status=307, headers={"location": f"{evil.base_url}/x"}), times=3)
        with pytest.raises(HostError, match="redirects to another host"):
            await client.host.create(SPEC, SNAPSHOT)
        assert evil.connections == 0


# --- 136, 137: pushes ---------------------------------------------------------------------------------

HOOKS: list[tuple[int, str, str, type[GitError]]] = [
    (
        136,
        "gitee",
        "Powered by GITEE.COM\nThis repository(including wiki) size 1143.71 MB, exceeds 1024.00 MB.",
        PushTooLarge,
    ),
    (136, "bitbucket", "repository is in read only mode (over 2 GB size limit).", GitRejected),
    (136, "gitlab", 'GitLab: File "a b.bin" is larger than the allowed size of 100 MiB', PushTooLarge),
    (126, "gitea", "Gitea: Not allowed to push to protected branch main", GitRejected),
]


@pytest.mark.fault(126, 136)
@pytest.mark.parametrize(("row", "kind", "text", "expected"), HOOKS)
async def test_a_hook_s_words_of_several_lines_are_read(
    tmp_path: Path, row: int, kind: str, text: str, expected: type[GitError]
) -> None:
    async with host(kind, tmp_path) as (server, client):
        repo = await client.host.create(SPEC, SNAPSHOT)
        server.git.hook(repo.owner, "hello", "pre-receive", f"cat >&2 <<'EOF'\n{text}\nEOF\nexit 1\n")
        with pytest.raises(GitError) as caught:
            await client.host.push(repo, SNAPSHOT)
    assert type(caught.value) is expected, row
    assert text.split("\n")[-1] in caught.value.message


TEXT = {"content-type": "text/plain"}


@pytest.mark.fault(137)
@pytest.mark.parametrize("operation", ["info_refs", "receive_pack"])
async def test_a_rate_limit_of_the_git_server_is_no_refused_token(tmp_path: Path, operation: str) -> None:
    async with host("github", tmp_path) as (server, client):
        repo = await client.host.create(SPEC, SNAPSHOT)
        text = b"remote: You have exceeded a secondary rate limit."
        server.fail(operation, Fault(status=403, headers=TEXT, body=text))
        with pytest.raises(GitUnavailable, match="exceeded a secondary rate limit"):
            await client.host.push(repo, SNAPSHOT)


@pytest.mark.fault(129)
async def test_a_suspended_account_is_named_by_the_push(tmp_path: Path) -> None:
    async with host("github", tmp_path) as (server, client):
        repo = await client.host.create(SPEC, SNAPSHOT)
        text = b"remote: Your account is suspended. Please visit https://support.github.com."
        server.fail("info_refs", Fault(status=403, headers=TEXT, body=text), times=9)
        with pytest.raises(GitError, match=r"account of the token is blocked.*Your account is suspended"):
            await client.host.push(repo, SNAPSHOT)
