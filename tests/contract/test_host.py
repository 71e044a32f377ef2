"""The contract of GitHost, over a scripted server of each kind, the embedded forge, and a directory."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from gencode.domain.tree import Tree
from gencode.embedded.forge.app import forge_app
from gencode.embedded.server import address, listen
from gencode.githosts.commit import commit_sha
from gencode.githosts.directory_host import DirectoryHost
from gencode.githosts.errors import GitError, GitNotFound, NonFastForward, RepoExists
from gencode.githosts.port import GitHost, ParentCommit, RepositoryState, Snapshot
from tests.servers.githttp import git_environment
from tests.servers.github import TOKEN, github_server, served
from tests.servers.hosts import SERVERS, host_client, host_server
from tests.unit.githosts.samples import FILES, SNAPSHOT, SPEC, github_client


@dataclass(frozen=True, kw_only=True)
class HostUnderTest:
    """A host, the account of its token, and clones of its repositories."""

    host: GitHost
    user: str
    scratch: Path

    async def clone(self, url: str) -> tuple[str, dict[str, bytes]]:
        """The SHA of the head and every file, by the git command."""
        target = self.scratch / "clone"
        await self._git("clone", "-q", url, str(target))
        head = (await self._git("-C", str(target), "rev-parse", "HEAD")).decode().strip()
        files = (path for path in target.rglob("*") if path.is_file() and ".git" not in path.parts)
        return head, {str(path.relative_to(target)): path.read_bytes() for path in files}

    async def _git(self, *arguments: str) -> bytes:
        extra = f"http.extraHeader=Authorization: Bearer {TOKEN}"
        done = await anyio.run_process(
            ["git", "-c", extra, *arguments], env=git_environment(self.scratch), stderr=subprocess.PIPE
        )
        return done.stdout


TARGETS = ["scripted GitHub", "embedded forge", "directory", *sorted(SERVERS.keys() - {"forgejo"})]


@pytest.fixture(params=TARGETS)
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostUnderTest]:
    scratch, root = tmp_path / "scratch", tmp_path / "repos"
    scratch.mkdir()
    async with _host(request.param, root) as (host, user):
        yield HostUnderTest(host=host, user=user, scratch=scratch)


@asynccontextmanager
async def _host(name: str, root: Path) -> AsyncIterator[tuple[GitHost, str]]:
    """A host of this name, and the account of its token."""
    if name == "directory":
        root.mkdir()
        yield DirectoryHost(root, label="disk"), ""
    elif name == "embedded forge":
        sock = listen()
        url = address(sock)
        async with (
            served(forge_app(root, url, TOKEN, "local"), sock),
            github_client(f"{url}/api/v3") as client,
        ):
            yield client.host, "local"
    elif name == "scripted GitHub":
        async with github_server(root) as github, github_client(github.api_url) as client:
            yield client.host, github.login
    else:
        async with host_server(name, root, TOKEN) as server, host_client(name, server.url, TOKEN) as client:
            yield client.host, server.login


async def test_a_created_repository_has_its_name_and_addresses(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    assert (repo.owner, repo.name) == (target.user, "hello")
    web = repo.web_url.removesuffix(".git")
    assert web.endswith(f"{target.user}/hello")
    assert repo.clone_url == web + ".git"


async def test_a_clone_has_what_was_pushed(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    pushed = await target.host.push(repo, SNAPSHOT)
    assert pushed == commit_sha(SNAPSHOT)
    assert await target.clone(repo.clone_url) == (pushed, FILES)


async def test_creating_again_with_equal_arguments_returns_the_same_repository(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    assert await target.host.create(SPEC, SNAPSHOT) == repo
    await target.host.push(repo, SNAPSHOT)
    assert await target.host.create(SPEC, SNAPSHOT) == repo


async def test_pushing_again_is_success(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    assert await target.host.push(repo, SNAPSHOT) == await target.host.push(repo, SNAPSHOT)


async def test_a_repository_with_another_marker_is_left_unchanged(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    await target.host.push(repo, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another")
    with pytest.raises(RepoExists, match="choose another repo_name"):
        await target.host.create(replace(SPEC, marker="gencode:12"), other)
    assert (await target.clone(repo.clone_url))[0] == commit_sha(SNAPSHOT)


async def test_a_check_tells_beforehand_what_creating_would(target: HostUnderTest) -> None:
    for spec in (SPEC, replace(SPEC, org="acme")):
        await target.host.check(spec)
        repo = await target.host.create(spec, SNAPSHOT)
        await target.host.check(spec)
        with pytest.raises(RepoExists, match="choose another repo_name"):
            await target.host.check(replace(spec, marker="gencode:12"))
        await target.host.push(repo, SNAPSHOT)
        await target.host.check(spec)
        await target.host.check(replace(spec, name="hello-2", marker="gencode:12"))


async def test_our_own_repository_with_other_commits_is_left_unchanged(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    await target.host.push(repo, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another")
    with pytest.raises(RepoExists, match="holds other commits"):
        await target.host.create(SPEC, other)
    with pytest.raises(NonFastForward):
        await target.host.push(repo, other)
    assert (await target.clone(repo.clone_url))[0] == commit_sha(SNAPSHOT)


async def test_a_repository_is_created_in_an_organisation(target: HostUnderTest) -> None:
    repo = await target.host.create(replace(SPEC, org="acme"), SNAPSHOT)
    assert repo.owner == "acme"
    assert await target.host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)


async def test_the_user_s_name_as_the_organisation_means_the_user(target: HostUnderTest) -> None:
    if not target.user:
        pytest.skip("a directory has no users")
    assert (await target.host.create(replace(SPEC, org=target.user.upper()), SNAPSHOT)).owner == target.user


async def test_a_push_to_a_missing_repository_is_reported(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    with pytest.raises(GitNotFound):
        await target.host.push(replace(repo, clone_url=repo.clone_url.replace("hello", "gone")), SNAPSHOT)


async def test_two_pushes_at_once_of_equal_snapshots_both_succeed(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    found: list[str] = []

    async def push() -> None:
        found.append(await target.host.push(repo, SNAPSHOT))

    async with anyio.create_task_group() as tg:
        tg.start_soon(push)
        tg.start_soon(push)
    assert found == [commit_sha(SNAPSHOT)] * 2


async def test_a_description_of_any_length_and_language_keeps_the_marker(target: HostUnderTest) -> None:
    spec = replace(SPEC, description="你好\n" * 2000)
    repo = await target.host.create(spec, SNAPSHOT)
    assert await target.host.create(spec, SNAPSHOT) == repo


def following(parent: str, text: bytes, **more: Any) -> Snapshot:
    """A commit on the parent that has this file only."""
    return replace(
        SNAPSHOT,
        tree=Tree.of({"next.txt": text}),
        parent=ParentCommit(id=parent, folders={}),
        **more,
    )


async def test_the_state_tells_default_branch_and_marker(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    sha = await target.host.push(repo, SNAPSHOT)
    state = await target.host.state(repo)
    assert state == RepositoryState(marker=SPEC.marker, default_branch="main", branches={"main": sha})
    elsewhere = replace(repo, name="missing", clone_url=repo.clone_url.replace(repo.name, "missing"))
    assert await target.host.state(elsewhere) is None


async def test_a_branch_advances_from_the_parent_only(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    first = await target.host.push(repo, SNAPSHOT)
    with pytest.raises(NonFastForward):
        await target.host.push(repo, following(first, b"new\n"))
    second = await target.host.push(repo, following(first, b"new\n", advances=True))
    assert await target.host.push(repo, following(first, b"new\n", advances=True)) == second
    assert await target.clone(repo.clone_url) == (second, {"next.txt": b"new\n"})
    with pytest.raises(NonFastForward):
        await target.host.push(repo, following(first, b"other\n", advances=True))
    branch = await target.host.push(repo, following(first, b"other\n", branch="gencode/regenerate-1"))
    state = await target.host.state(repo)
    assert state
    assert (state.default_branch, state.branches) == (
        "main",
        {"main": second, "gencode/regenerate-1": branch},
    )


async def test_no_commit_is_made_on_one_that_the_repository_lacks(target: HostUnderTest) -> None:
    repo = await target.host.create(SPEC, SNAPSHOT)
    first = await target.host.push(repo, SNAPSHOT)
    with pytest.raises(GitError):
        await target.host.push(repo, following("0123456789" * 4, b"new\n", branch="foreign"))
    with pytest.raises(NonFastForward):
        await target.host.push(repo, following(first, b"new\n", branch="gone", advances=True))
    state = await target.host.state(repo)
    assert state
    assert state.branches == {"main": first}
