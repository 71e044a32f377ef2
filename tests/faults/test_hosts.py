"""Rows 28-40 at the other hosts: each host's own statuses, words and headers come to the same errors.

One story serves all of them; GitHub's faults are in test_github.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gencode.githosts.commit import sha
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
from tests.servers.hosts import OWNER, SERVERS, TOKEN, Met, host_server, meet
from tests.servers.peer import peer
from tests.unit.githosts.samples import NOW, SNAPSHOT, SPEC

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["github", "gitea", "gitlab", "gitee", "bitbucket"]
TAG = "[gencode:1]"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, ScriptedHost]]:
    """One of each for all tests: uvicorn takes 0.2 s to stop."""
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
async def met(server: ScriptedHost, kind: str) -> AsyncIterator[Met]:
    """After each test: the token was in no address."""
    async with meet(kind, server.url) as client:
        yield client
    assert server.requests
    assert not any(TOKEN in request.path or "access_token" in request.query for request in server.requests)


@pytest.mark.fault(28)
async def test_a_wrong_token_names_its_setting(server: ScriptedHost, met: Met, kind: str) -> None:
    """Row 28."""
    server.token = "another"
    with pytest.raises(GitHubAuth if kind == "github" else HostAuth, match='the token of "work" in HOSTS'):
        await met.host.create(SPEC, SNAPSHOT)
    assert met.backoff == []
    assert not server.effects


@pytest.mark.fault(29)
async def test_a_forbidden_creation_says_what_the_token_needs(server: ScriptedHost, met: Met) -> None:
    """Row 29."""
    server.fail("create", Fault(status=403, body={"message": f"403 Forbidden for {TOKEN}"}))
    with pytest.raises(HostForbidden, match="it needs") as caught:
        await met.host.create(SPEC, SNAPSHOT)
    assert TOKEN not in caught.value.message


LIMITS = [
    ({"retry-after": "30"}, 30),
    ({"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW) + 40)}, 41),  # GitLab
    ({"ratelimit-remaining": "0", "ratelimit-reset": "40"}, 40),  # the IETF's draft
    ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 50)}, 51),  # Gitee, GitHub
    ({"x-ratelimit-nearlimit": "true"}, 60),  # Bitbucket says no more than that
]


@pytest.mark.fault(30)
@pytest.mark.parametrize(("headers", "wait"), LIMITS)
async def test_a_limit_is_waited_for_as_long_as_it_says(
    server: ScriptedHost, met: Met, headers: dict[str, str], wait: float
) -> None:
    """Row 30."""
    server.fail("create", Fault(status=429, headers=headers, body=b"Retry later\n"))
    await met.host.create(SPEC, SNAPSHOT)
    assert met.backoff == [wait]
    assert server.effects["create"] == 1


@pytest.mark.fault(30)
async def test_a_limit_longer_than_our_patience_fails_at_once(server: ScriptedHost, met: Met) -> None:
    """Row 30."""
    server.fail("create", Fault(status=429, headers={"retry-after": "3600"}))
    with pytest.raises(HostRateLimit, match="asks to wait 3600 s"):
        await met.host.create(SPEC, SNAPSHOT)
    assert met.backoff == []


@pytest.mark.fault(32)
async def test_an_unknown_organisation_is_named(server: ScriptedHost, met: Met, kind: str) -> None:
    """Row 32."""
    with pytest.raises(GitHubOrg if kind == "github" else HostOrg, match="no organisation 'nowhere'"):
        await met.host.create(replace(SPEC, org="nowhere"), SNAPSHOT)
    assert not server.effects


@pytest.mark.fault(33)
@pytest.mark.parametrize("description", [None, "mine", f"{TAG} was here", "[gencode:12]"])
async def test_a_repository_of_somebody_else_is_left_alone(
    server: ScriptedHost, met: Met, description: str | None
) -> None:
    """Row 33: each host says "taken" in its own way."""
    await server.add("hello", description)
    with pytest.raises(RepoExists, match="octo/hello exists already and was left alone"):
        await met.host.create(SPEC, SNAPSHOT)
    assert not server.effects


@pytest.mark.fault(34)
async def test_our_own_empty_repository_is_adopted(server: ScriptedHost, met: Met) -> None:
    """Row 34."""
    await server.add("hello", f"whatever {TAG}")
    repo = await met.host.create(SPEC, SNAPSHOT)
    assert await met.host.push(repo, SNAPSHOT) == await server.head("hello")
    assert server.effects == {"push": 1}


@pytest.mark.fault(34)
async def test_our_own_repository_with_other_commits_is_not_adopted(server: ScriptedHost, met: Met) -> None:
    """Row 34: a tag or another branch is somebody's work, too."""
    repo = await met.host.create(SPEC, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another", branch="elsewhere")
    await met.host.push(repo, other)
    with pytest.raises(RepoExists, match="holds other commits"):
        await met.host.create(SPEC, SNAPSHOT)
    assert await server.head("hello", branch="elsewhere") == sha(other)


@pytest.mark.fault(34)
async def test_git_is_asked_again_what_a_repository_holds(server: ScriptedHost, met: Met) -> None:
    """Row 34: in doubt nothing is adopted."""
    await server.add("hello", TAG)
    server.fail("info_refs", Fault(status=503), times=3)
    with pytest.raises(HostUnavailable, match="is not known"):
        await met.host.create(SPEC, SNAPSHOT)
    assert len(met.backoff) == 2


@pytest.mark.fault(35)
async def test_another_refusal_tells_the_hosts_reasons(server: ScriptedHost, met: Met) -> None:
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
            await met.host.create(SPEC, SNAPSHOT)
    assert met.backoff == []


@pytest.mark.fault(36)
@pytest.mark.parametrize("fault", [Fault(status=502, after=True), Fault(lost=True, after=True)])
async def test_a_lost_reply_adopts_what_was_created(server: ScriptedHost, met: Met, fault: Fault) -> None:
    """Rows 36, 37."""
    server.fail("create", fault)
    repo = await met.host.create(SPEC, SNAPSHOT)
    assert await met.host.push(repo, SNAPSHOT) == sha(SNAPSHOT)
    assert server.effects == {"create": 1, "push": 1}


@pytest.mark.fault(37)
async def test_a_lost_request_is_sent_again(server: ScriptedHost, met: Met) -> None:
    """Row 37."""
    server.fail("create", Fault(lost=True))
    await met.host.create(SPEC, SNAPSHOT)
    assert server.effects["create"] == 1


@pytest.mark.fault(39)
async def test_a_new_repository_is_waited_for(server: ScriptedHost, met: Met) -> None:
    """Row 39."""
    server.not_ready = 3
    await met.host.create(SPEC, SNAPSHOT)
    assert met.pauses == [0.5, 1, 2]


@pytest.mark.fault(40)
@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"[]", b"{}", b""])
async def test_an_answer_that_is_no_repository_fails(server: ScriptedHost, met: Met, body: bytes) -> None:
    """Row 40."""
    server.fail("create", Fault(status=201, body=body), times=9)
    with pytest.raises(HostProtocol):
        await met.host.create(SPEC, SNAPSHOT)
    assert len(server.seen("create")) == 3


@pytest.mark.fault(40)
@pytest.mark.parametrize("operation", ["create", "repo"])
async def test_a_redirect_to_another_host_is_not_followed(
    server: ScriptedHost, met: Met, operation: str
) -> None:
    """Row 40."""
    async with peer(lambda _: [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as elsewhere:
        server.fail(operation, Fault(status=302, headers={"location": elsewhere.base_url}), times=9)
        with pytest.raises(HostProtocol, match='check the url of "work" in HOSTS'):
            await met.host.create(SPEC, SNAPSHOT)
        assert elsewhere.connections == 0


@pytest.mark.fault(40)
async def test_a_hostile_answer_gets_no_token(server: ScriptedHost, met: Met) -> None:
    """Row 40: the whole answer as the host gives it, but its addresses lead to somebody else."""
    async with peer(lambda _: []) as evil:
        server.says = evil.base_url
        with pytest.raises(HostProtocol, match="another host"):
            await met.host.create(SPEC, SNAPSHOT)
        repo = Repository(
            owner="octo", name="hello", web_url=evil.base_url, clone_url=f"{evil.base_url}/x.git"
        )
        with pytest.raises(GitProtocol, match="another host"):
            await met.host.push(repo, SNAPSHOT)
        assert evil.connections == 0
    assert not server.effects["push"]


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    ("words", "error", "advice"),
    [
        (
            "GitLab: You are not allowed to push code to protected branches",
            GitRejected,
            "a role that may",
        ),
        ("GitLab: PUSH BLOCKED: Secrets detected in code changes", PushSecret, "placeholders"),
    ],
)
async def test_a_hosts_own_words_are_understood(
    server: ScriptedHost, met: Met, words: str, error: type[Exception], advice: str
) -> None:
    """Row 46."""
    repo = await met.host.create(SPEC, SNAPSHOT)
    server.git.hook("octo", "hello", "pre-receive", f"echo '{words}' >&2; exit 1")
    with pytest.raises(error, match=advice):
        await met.host.push(repo, SNAPSHOT)


async def test_every_kind_has_its_faults_tried() -> None:
    assert {*KINDS, "forgejo"} == set(SERVERS)
    assert set(OWNER) <= set(KINDS)
