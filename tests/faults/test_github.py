"""Rows 28-40: faults of GitHub's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from gencode.githosts.commit import commit_sha
from gencode.githosts.errors import (
    GitHubAuth,
    GitHubForbidden,
    GitHubInvalid,
    GitHubNetwork,
    GitHubOrg,
    GitHubProtocol,
    GitHubRateLimit,
    GitHubUnavailable,
    RepoExists,
)
from tests.servers.github import TOKEN, Fault, ScriptedGitHub, github_server
from tests.servers.peer import peer
from tests.servers.ports import closed_port
from tests.unit.githosts.samples import NOW, SNAPSHOT, SPEC, HostClient, github_client

TAG = "[gencode:1]"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ScriptedGitHub]:
    """One server for all tests: uvicorn takes 0.2 s to stop."""
    async with github_server(tmp_path_factory.mktemp("github")) as server:
        yield server


@pytest.fixture
def github(server: ScriptedGitHub, tmp_path: Path) -> ScriptedGitHub:
    server.reset(tmp_path)
    return server


@pytest_asyncio.fixture(loop_scope="module")
async def client(github: ScriptedGitHub) -> AsyncIterator[HostClient]:
    async with github_client(github.api_url) as connection:
        yield connection


def created(github: ScriptedGitHub) -> int:
    return github.effects["create"]


@pytest.mark.fault(28)
async def test_a_wrong_token_is_not_retried(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 28."""
    github.token = "another"
    with pytest.raises(GitHubAuth, match="GITHUB_TOKEN"):
        await client.host.create(SPEC, SNAPSHOT)
    assert [request.operation for request in github.requests] == ["create"]


@pytest.mark.fault(29)
@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        (
            {"x-github-sso": "required; url=https://github.com/orgs/acme/sso?authorization_request=AZ1"},
            r"SSO\) at https://github.com/orgs/acme/sso(?!\?)",
        ),
        ({"x-accepted-github-permissions": "administration=write"}, "permission administration=write"),
        ({"x-oauth-scopes": "gist", "x-accepted-oauth-scopes": "repo"}, "scopes repo, has gist"),
        ({}, "scope repo, or permission administration=write"),
    ],
)
async def test_a_forbidden_creation_reports_what_the_token_lacks(
    github: ScriptedGitHub, client: HostClient, headers: dict[str, str], hint: str
) -> None:
    """Row 29."""
    github.fail("create", Fault(status=403, headers=headers, body={"message": f"No, {TOKEN}"}))
    with pytest.raises(GitHubForbidden, match=hint) as caught:
        await client.host.create(SPEC, SNAPSHOT)
    assert len(github.requests) == 1
    assert TOKEN not in caught.value.message
    assert "AZ1" not in caught.value.message


PRIMARY = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 50)}


@pytest.mark.fault(30)
@pytest.mark.parametrize("status", [403, 429])
async def test_a_primary_rate_limit_is_waited_for_until_its_reset(
    github: ScriptedGitHub, client: HostClient, status: int
) -> None:
    """Row 30."""
    github.fail("create", Fault(status=status, headers=PRIMARY, body={"message": "API rate limit exceeded"}))
    await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == [51]
    assert created(github) == 1


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 3600)},
        {"retry-after": "3600"},
        {"retry-after": "Fri, 15 Jan 2038 08:00:00 GMT"},
    ],
)
async def test_a_rate_limit_longer_than_the_maximum_wait_fails_at_once(
    github: ScriptedGitHub, client: HostClient, headers: dict[str, str]
) -> None:
    """Row 30."""
    github.fail("create", Fault(status=403, headers=headers))
    with pytest.raises(GitHubRateLimit, match="asks to wait") as caught:
        await client.host.create(SPEC, SNAPSHOT)
    assert caught.value.retryable
    assert client.backoff == []
    assert len(github.requests) == 1


@pytest.mark.fault(31)
@pytest.mark.parametrize(("status", "headers"), [(403, {}), (429, {}), (429, {"retry-after": "garbage"})])
async def test_a_secondary_rate_limit_without_headers_waits_a_minute_each_time(
    github: ScriptedGitHub, client: HostClient, status: int, headers: dict[str, str]
) -> None:
    """Row 31."""
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    github.fail("create", Fault(status=status, headers=headers, body=body), times=3)
    with pytest.raises(GitHubRateLimit, match="secondary rate limit"):
        await client.host.create(SPEC, SNAPSHOT)
    assert client.backoff == [60, 60]
    assert len(github.seen("create")) == 3
    assert b'gencode_retries_total{code="GITHUB_RATE_LIMIT"} 2.0' in client.metrics.render()


@pytest.mark.fault(31)
async def test_writes_are_serial_and_a_second_apart(github: ScriptedGitHub) -> None:
    """Row 31: this avoids the secondary rate limit."""
    async with github_client(github.api_url, spacing=1.0) as client, anyio.create_task_group() as tg:
        for number in range(3):
            tg.start_soon(client.host.create, replace(SPEC, name=f"hello-{number}"), SNAPSHOT)
    assert created(github) == 3
    assert len(client.pauses) == 2
    assert all(0 < pause <= 1 for pause in client.pauses)


@pytest.mark.fault(32)
async def test_an_unknown_organisation_is_named(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 32."""
    with pytest.raises(GitHubOrg, match="no organisation 'nowhere', or the token may not create in it"):
        await client.host.create(replace(SPEC, org="nowhere"), SNAPSHOT)
    assert len(github.seen("create")) == 1


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    "description", [None, "", "gencode:1", f"{TAG} of somebody else", "[gencode:12]", "x[gencode:1"]
)
async def test_a_repository_of_another_owner_is_left_unchanged(
    github: ScriptedGitHub, client: HostClient, description: str | None
) -> None:
    """Row 33."""
    await github.add("hello", description)
    with pytest.raises(RepoExists, match="choose another repo_name"):
        await client.host.create(SPEC, SNAPSHOT)
    assert [request.method for request in github.requests].count("POST") == 1
    assert not github.effects


@pytest.mark.fault(33)
async def test_a_repository_that_the_token_cannot_see_is_not_adopted(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 33."""
    (await github.add("hello")).hidden = 1000
    with pytest.raises(RepoExists, match="cannot see it"):
        await client.host.create(SPEC, SNAPSHOT)
    assert client.pauses == [0.5, 1, 2, 4, 8]


@pytest.mark.fault(34)
async def test_our_own_empty_repository_is_adopted(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 34."""
    await github.add("hello", f"Whatever it says {TAG}")
    repo = await client.host.create(SPEC, SNAPSHOT)
    assert await client.host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)
    assert len(github.repos) == 1


@pytest.mark.fault(34)
async def test_our_own_repository_with_our_commit_is_adopted(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 34."""
    repo = await client.host.create(SPEC, SNAPSHOT)
    await client.host.push(repo, SNAPSHOT)
    assert await client.host.create(SPEC, SNAPSHOT) == repo
    assert github.effects == {"create": 1, "push": 1}


@pytest.mark.fault(34)
@pytest.mark.parametrize("branch", ["main", "elsewhere"])
async def test_our_own_repository_with_other_commits_is_not_adopted(
    github: ScriptedGitHub, client: HostClient, branch: str
) -> None:
    """Row 34."""
    repo = await client.host.create(SPEC, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another", branch=branch)
    await client.host.push(repo, other)
    with pytest.raises(RepoExists, match="holds other commits"):
        await client.host.create(SPEC, SNAPSHOT)
    assert await github.head("hello", branch=branch) == commit_sha(other)


@pytest.mark.fault(35)
@pytest.mark.parametrize(
    "errors",
    [
        [{"resource": "Repository", "field": "name", "code": "custom", "message": "name is reserved"}],
        ["name is reserved"],
        [{"field": "description", "message": "already exists: name is reserved"}],
    ],
)
async def test_another_refusal_reports_github_s_reasons(
    github: ScriptedGitHub, client: HostClient, errors: list[object]
) -> None:
    """Row 35."""
    github.fail("create", Fault(status=422, body={"message": "Validation Failed", "errors": errors}))
    with pytest.raises(GitHubInvalid, match=r"Validation Failed; .*name is reserved"):
        await client.host.create(SPEC, SNAPSHOT)
    assert len(github.requests) == 1


@pytest.mark.fault(36)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_error_after_the_creation_adopts_the_created_repository(
    github: ScriptedGitHub, client: HostClient, status: int
) -> None:
    """Row 36."""
    github.fail("create", Fault(status=status, after=True, body=b"<html>Unicorn!</html>"))
    repo = await client.host.create(SPEC, SNAPSHOT)
    assert repo.name == "hello"
    assert created(github) == len(github.seen("create")) == 1


@pytest.mark.fault(36)
async def test_an_error_before_the_creation_is_retried(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 36."""
    github.fail("create", Fault(status=502), times=2)
    await client.host.create(SPEC, SNAPSHOT)
    assert created(github) == 1
    assert len(client.backoff) == 2


@pytest.mark.fault(36)
async def test_lasting_errors_fail_after_three_attempts(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 36."""
    github.fail("create", Fault(status=503, body={"message": "No server is available"}), times=9)
    with pytest.raises(GitHubUnavailable, match="No server is available"):
        await client.host.create(SPEC, SNAPSHOT)
    assert len(github.seen("create")) == 3


@pytest.mark.fault(37)
async def test_a_lost_response_adopts_the_created_repository(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 37."""
    github.fail("create", Fault(lost=True, after=True))
    await client.host.create(SPEC, SNAPSHOT)
    assert created(github) == len(github.seen("create")) == 1


@pytest.mark.fault(37)
async def test_a_lost_response_for_a_repository_not_yet_visible_creates_no_second_one(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 37, with row 39."""
    github.not_ready = 3
    github.fail("create", Fault(lost=True, after=True))
    await client.host.create(SPEC, SNAPSHOT)
    assert created(github) == 1


@pytest.mark.fault(37)
async def test_a_lost_request_is_sent_again(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 37."""
    github.fail("create", Fault(lost=True))
    await client.host.create(SPEC, SNAPSHOT)
    assert created(github) == 1


@pytest.mark.fault(37)
async def test_a_lost_response_never_adopts_another_owner_s_repository(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 37, with row 33."""
    await github.add("hello", "mine")
    github.fail("create", Fault(lost=True))
    with pytest.raises(RepoExists):
        await client.host.create(SPEC, SNAPSHOT)


@pytest.mark.fault(37)
async def test_a_server_that_refuses_connections_fails_after_three_attempts() -> None:
    """Row 37."""
    async with github_client(f"http://127.0.0.1:{closed_port()}/api/v3") as client:
        with pytest.raises(GitHubNetwork, match="connection to GitHub failed"):
            await client.host.create(SPEC, SNAPSHOT)
        assert len(client.backoff) == 2


@pytest.mark.fault(38)
async def test_the_name_that_github_gives_is_used(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 38."""
    repo = await client.host.create(replace(SPEC, name="hello, world"), SNAPSHOT)
    assert (repo.name, repo.clone_url) == ("hello-world", f"{github.url}/octo/hello-world.git")
    assert await client.host.push(repo, SNAPSHOT) == await github.head("hello-world")


@pytest.mark.fault(38)
async def test_a_normalised_name_is_found_after_a_lost_response(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 38, with row 37."""
    github.fail("create", Fault(lost=True, after=True))
    assert (await client.host.create(replace(SPEC, name="hello, world"), SNAPSHOT)).name == "hello-world"
    assert created(github) == 1


@pytest.mark.fault(39)
async def test_a_new_repository_is_waited_for(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 39."""
    github.not_ready = 4
    await client.host.create(SPEC, SNAPSHOT)
    assert client.pauses == [0.5, 1, 2, 4]
    assert client.backoff == []


@pytest.mark.fault(39)
async def test_a_renamed_repository_is_followed_within_the_api(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 39: GitHub answers 301 for the old name."""
    await github.add("hello", TAG)
    await github.add("renamed", TAG)
    moved = Fault(status=301, headers={"location": f"{github.api_url}/repos/octo/renamed"})
    github.fail("repo", moved)
    assert (await client.host.create(SPEC, SNAPSHOT)).name == "renamed"


@pytest.mark.fault(40)
@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"[]", b"{", b"[" * 100_000, b""])
async def test_a_response_that_is_no_json_object_fails_after_three_attempts(
    github: ScriptedGitHub, client: HostClient, body: bytes
) -> None:
    """Row 40."""
    github.fail("create", Fault(status=201, body=body), times=9)
    with pytest.raises(GitHubProtocol):
        await client.host.create(SPEC, SNAPSHOT)
    assert len(github.seen("create")) == 3


@pytest.mark.fault(40)
async def test_malformed_json_after_the_creation_adopts_the_created_repository(
    github: ScriptedGitHub, client: HostClient
) -> None:
    """Row 40, with row 36."""
    github.fail("create", Fault(status=201, body=b'{"name": "hel', after=True))
    await client.host.create(SPEC, SNAPSHOT)
    assert created(github) == 1


@pytest.mark.fault(40)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("operation", ["create", "repo"])
async def test_a_redirect_to_another_host_is_not_followed(
    github: ScriptedGitHub, client: HostClient, operation: str, status: int
) -> None:
    """Row 40."""
    async with peer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as elsewhere:
        github.fail(operation, Fault(status=status, headers={"location": elsewhere.base_url}), times=9)
        with pytest.raises(GitHubProtocol, match="check GITHUB_API_URL"):
            await client.host.create(SPEC, SNAPSHOT)
        assert elsewhere.connections == 0
    assert len(github.seen("create")) == 3


@pytest.mark.fault(40)
@pytest.mark.parametrize("key", ["clone_url", "html_url"])
@pytest.mark.parametrize(
    "url", ["{evil}/octo/hello.git", "http://user@{host}/octo/hello", "file:///etc/passwd", "{url}\\@evil/x"]
)
async def test_a_repository_on_another_host_is_refused(
    github: ScriptedGitHub, client: HostClient, key: str, url: str
) -> None:
    """Row 40: the token would be sent to the clone address."""
    async with peer(lambda _: []) as evil:
        url = url.format(evil=evil.base_url, url=github.url, host=github.url.removeprefix("http://"))
        body = {"owner": {"login": "octo"}, "name": "hello", "description": TAG}
        body |= {"html_url": f"{github.url}/octo/hello", "clone_url": f"{github.url}/octo/hello.git"}
        github.fail("create", Fault(status=201, body=body | {key: url}), times=9)
        with pytest.raises(GitHubProtocol, match="another host"):
            await client.host.create(SPEC, SNAPSHOT)
        assert evil.connections == 0


@pytest.mark.fault(40)
async def test_the_length_of_a_response_is_limited(github: ScriptedGitHub, client: HostClient) -> None:
    """Row 40."""
    github.fail("create", Fault(status=201, body=b" " * (5 * 2**20)), times=9)
    with pytest.raises(GitHubProtocol, match="longer than"):
        await client.host.create(SPEC, SNAPSHOT)
