"""Rows 28-40 at the other hosts: the statuses, messages and headers of each lead to the same errors.

All hosts share `RestGitHost`; more faults of GitHub are in test_github.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gencode.githosts.commit import commit_sha
from gencode.githosts.errors import (
    GitHubAuth,
    GitHubOrg,
    GitProtocol,
    GitRejected,
    HostAuth,
    HostForbidden,
    HostInvalid,
    HostOrg,
    HostProtocol,
    HostRateLimit,
    HostUnavailable,
    PushSecret,
    RepoExists,
)
from gencode.githosts.port import Repository
from tests.servers.githost import Fault, ScriptedHost
from tests.servers.hosts import OWNER, SERVERS, TOKEN, HostClient, host_client, host_server
from tests.servers.peer import peer
from tests.unit.githosts.samples import NOW, SNAPSHOT, SPEC

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["github", "gitea", "gitlab", "gitee", "bitbucket"]
TAG = "[gencode:1]"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, ScriptedHost]]:
    """One server of each kind for all tests: uvicorn takes 0.2 s to stop."""
    async with AsyncExitStack() as stack:
        yield {
            kind: await stack.enter_async_context(host_server(kind, tmp_path_factory.mktemp(kind)))
            for kind in KINDS
        }


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(servers: dict[str, ScriptedHost], kind: str, tmp_path: Path) -> ScriptedHost:
    servers[kind].reset(tmp_path, TOKEN)
    return servers[kind]


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: ScriptedHost, kind: str) -> AsyncIterator[HostClient]:
    """Checks after each test that no URL contained the token."""
    async with host_client(kind, server.url) as client:
        yield client
    assert server.requests
    assert not any(TOKEN in request.path or "access_token" in request.query for request in server.requests)


@pytest.mark.fault(28)
async def test_a_wrong_token_names_its_setting(server: ScriptedHost, client: HostClient, kind: str) -> None:
    """Row 28."""
    server.token = "another"
    with pytest.raises(GitHubAuth if kind == "github" else HostAuth, match='the token of "work" in HOSTS'):
        await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == []
    assert not server.effects


@pytest.mark.fault(29)
async def test_a_forbidden_creation_reports_what_the_token_needs(
    server: ScriptedHost, client: HostClient
) -> None:
    """Row 29."""
    server.fail("create", Fault(status=403, body={"message": f"403 Forbidden for {TOKEN}"}))
    with pytest.raises(HostForbidden, match="it needs") as caught:
        await client.host.create(SPEC, SNAPSHOT)
    assert TOKEN not in caught.value.message


LIMITS = [
    ({"retry-after": "30"}, 30),
    ({"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW) + 40)}, 41),  # GitLab
    ({"ratelimit-remaining": "0", "ratelimit-reset": "40"}, 40),  # the IETF's draft
    ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 50)}, 51),  # Gitee, GitHub
    ({"x-ratelimit-nearlimit": "true"}, 60),  # Bitbucket sends no more than that
]


@pytest.mark.fault(30)
@pytest.mark.parametrize(("headers", "wait"), LIMITS)
async def test_a_rate_limit_is_waited_for(
    server: ScriptedHost, client: HostClient, headers: dict[str, str], wait: float
) -> None:
    """Row 30."""
    server.fail("create", Fault(status=429, headers=headers, body=b"Retry later\n"))
    await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == [wait]
    assert server.effects["create"] == 1


@pytest.mark.fault(30)
async def test_a_rate_limit_longer_than_the_maximum_wait_fails_at_once(
    server: ScriptedHost, client: HostClient
) -> None:
    """Row 30."""
    server.fail("create", Fault(status=429, headers={"retry-after": "3600"}))
    with pytest.raises(HostRateLimit, match="asks to wait 3600 s"):
        await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == []


@pytest.mark.fault(32)
async def test_an_unknown_organisation_is_named(server: ScriptedHost, client: HostClient, kind: str) -> None:
    """Row 32."""
    with pytest.raises(GitHubOrg if kind == "github" else HostOrg, match="no organisation 'nowhere'"):
        await client.host.create(replace(SPEC, org="nowhere"), SNAPSHOT)
    assert not server.effects


@pytest.mark.fault(33)
@pytest.mark.parametrize("description", [None, "mine", f"{TAG} was here", "[gencode:12]"])
async def test_a_repository_of_another_owner_is_left_unchanged(
    server: ScriptedHost, client: HostClient, description: str | None
) -> None:
    """Row 33: each host reports a taken name in its own way."""
    await server.add("hello", description)
    with pytest.raises(RepoExists, match="octo/hello exists already and was left alone"):
        await client.host.create(SPEC, SNAPSHOT)
    assert not server.effects


@pytest.mark.fault(34)
async def test_our_own_empty_repository_is_adopted(server: ScriptedHost, client: HostClient) -> None:
    """Row 34."""
    await server.add("hello", f"whatever {TAG}")
    repo = await client.host.create(SPEC, SNAPSHOT)
    assert await client.host.push(repo, SNAPSHOT) == await server.head("hello")
    assert server.effects == {"push": 1}


@pytest.mark.fault(34)
async def test_our_own_repository_with_other_commits_is_not_adopted(
    server: ScriptedHost, client: HostClient
) -> None:
    """Row 34: another branch or a tag counts as well."""
    repo = await client.host.create(SPEC, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another", branch="elsewhere")
    await client.host.push(repo, other)
    with pytest.raises(RepoExists, match="holds other commits"):
        await client.host.create(SPEC, SNAPSHOT)
    assert await server.head("hello", branch="elsewhere") == commit_sha(other)


@pytest.mark.fault(34)
async def test_reading_the_refs_of_a_repository_is_retried(server: ScriptedHost, client: HostClient) -> None:
    """Row 34: a repository with unknown content is not adopted."""
    await server.add("hello", TAG)
    server.fail("info_refs", Fault(status=503), times=3)
    with pytest.raises(HostUnavailable, match="is not known"):
        await client.host.create(SPEC, SNAPSHOT)
    assert len(client.backoff) == 2


@pytest.mark.fault(35)
async def test_another_refusal_reports_the_host_s_reasons(server: ScriptedHost, client: HostClient) -> None:
    """Row 35."""
    bodies: list[Any] = [
        {"message": {"path": ["is a reserved name"]}},
        {"error": {"base": ["a reserved name"]}},
        {"type": "error", "error": {"message": "a reserved name", "fields": {}}},
        {"message": "a reserved name", "errors": None},
    ]
    for body in bodies:
        server.fail("create", Fault(status=422, body=body))
        with pytest.raises(HostInvalid, match=r"did not accept the repository.*a reserved name"):
            await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == []


@pytest.mark.fault(36)
@pytest.mark.parametrize("fault", [Fault(status=502, after=True), Fault(lost=True, after=True)])
async def test_a_lost_response_adopts_the_created_repository(
    server: ScriptedHost, client: HostClient, fault: Fault
) -> None:
    """Rows 36, 37."""
    server.fail("create", fault)
    repo = await client.host.create(SPEC, SNAPSHOT)
    assert await client.host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)
    assert server.effects == {"create": 1, "push": 1}


@pytest.mark.fault(37)
async def test_a_lost_request_is_sent_again(server: ScriptedHost, client: HostClient) -> None:
    """Row 37."""
    server.fail("create", Fault(lost=True))
    await client.host.create(SPEC, SNAPSHOT)
    assert server.effects["create"] == 1


@pytest.mark.fault(39)
async def test_a_new_repository_is_waited_for(server: ScriptedHost, client: HostClient) -> None:
    """Row 39."""
    server.not_ready = 3
    await client.host.create(SPEC, SNAPSHOT)
    assert client.pauses == [0.5, 1, 2]


@pytest.mark.fault(40)
@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"[]", b"{}", b""])
async def test_a_response_that_is_no_repository_fails(
    server: ScriptedHost, client: HostClient, body: bytes
) -> None:
    """Row 40."""
    server.fail("create", Fault(status=201, body=body), times=9)
    with pytest.raises(HostProtocol):
        await client.host.create(SPEC, SNAPSHOT)
    assert len(server.seen("create")) == 3


@pytest.mark.fault(40)
@pytest.mark.parametrize("operation", ["create", "repo"])
async def test_a_redirect_to_another_host_is_not_followed(
    server: ScriptedHost, client: HostClient, operation: str
) -> None:
    """Row 40."""
    async with peer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as elsewhere:
        server.fail(operation, Fault(status=302, headers={"location": elsewhere.base_url}), times=9)
        with pytest.raises(HostProtocol, match='check the url of "work" in HOSTS'):
            await client.host.create(SPEC, SNAPSHOT)
        assert elsewhere.connections == 0


@pytest.mark.fault(40)
async def test_the_token_is_not_sent_to_another_host(server: ScriptedHost, client: HostClient) -> None:
    """Row 40: the response is complete and valid, but its URLs are on another host."""
    async with peer(lambda _: []) as evil:
        server.advertised_url = evil.base_url
        with pytest.raises(HostProtocol, match="another host"):
            await client.host.create(SPEC, SNAPSHOT)
        repo = Repository(
            owner="octo", name="hello", web_url=evil.base_url, clone_url=f"{evil.base_url}/x.git"
        )
        with pytest.raises(GitProtocol, match="another host"):
            await client.host.push(repo, SNAPSHOT)
        assert evil.connections == 0
    assert not server.effects["push"]


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    ("message", "error", "advice"),
    [
        (
            "GitLab: You are not allowed to push code to protected branches",
            GitRejected,
            "a role that may",
        ),
        ("GitLab: PUSH BLOCKED: Secrets detected in code changes", PushSecret, "placeholders"),
    ],
)
async def test_a_host_s_own_messages_are_recognised(
    server: ScriptedHost, client: HostClient, message: str, error: type[Exception], advice: str
) -> None:
    """Row 46."""
    repo = await client.host.create(SPEC, SNAPSHOT)
    server.git.hook("octo", "hello", "pre-receive", f"echo '{message}' >&2; exit 1")
    with pytest.raises(error, match=advice):
        await client.host.push(repo, SNAPSHOT)


async def test_every_kind_is_tested() -> None:
    assert {*KINDS, "forgejo"} == set(SERVERS)
    assert set(OWNER) <= set(KINDS)
