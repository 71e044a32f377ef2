"""What every Host promises, over a scripted server of each kind, the embedded forge, and a directory."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from gencode.embedded.forge import forge
from gencode.embedded.server import address, listen
from gencode.githosts.commit import sha
from gencode.githosts.directory import DirectoryHost
from gencode.githosts.errors import GitNotFound, NonFastForward, RepoExists
from gencode.githosts.port import GitHost
from tests.servers.githttp import git_environment
from tests.servers.github import TOKEN, github_server, served
from tests.servers.hosts import SERVERS, host_server, meet
from tests.unit.githosts.samples import FILES, SNAPSHOT, SPEC, connected


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host under test, and what a clone of one of its repositories holds."""

    host: GitHost
    user: str
    scratch: Path

    async def clone(self, url: str) -> tuple[str, dict[str, bytes]]:
        """The head's SHA and every file, by plain git."""
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


PLACES = ["scripted GitHub", "embedded forge", "directory", *sorted(SERVERS.keys() - {"forgejo"})]


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    scratch, root = tmp_path / "scratch", tmp_path / "repos"
    scratch.mkdir()
    async with _host(request.param, root) as (host, user):
        yield Place(host=host, user=user, scratch=scratch)


@asynccontextmanager
async def _host(name: str, root: Path) -> AsyncIterator[tuple[GitHost, str]]:
    """A host of this name, and whose its repositories are unless something else is asked for."""
    if name == "directory":
        root.mkdir()
        yield DirectoryHost(root, label="disk"), ""
    elif name == "embedded forge":
        sock = listen()
        url = address(sock)
        async with served(forge(root, url, TOKEN, "local"), sock), connected(f"{url}/api/v3") as forged:
            yield forged.host, "local"
    elif name == "scripted GitHub":
        async with github_server(root) as github, connected(github.api_url) as client:
            yield client.host, github.login
    else:
        async with host_server(name, root, TOKEN) as server, meet(name, server.url, TOKEN) as met:
            yield met.host, server.login


async def test_a_created_repository_names_itself_and_its_addresses(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    assert (repo.owner, repo.name) == (place.user, "hello")
    web = repo.web_url.removesuffix(".git")
    assert web.endswith(f"{place.user}/hello")
    assert repo.clone_url == web + ".git"


async def test_what_was_pushed_is_what_a_clone_holds(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    pushed = await place.host.push(repo, SNAPSHOT)
    assert pushed == sha(SNAPSHOT)
    assert await place.clone(repo.clone_url) == (pushed, FILES)


async def test_creating_again_with_equal_arguments_gives_the_same_repository(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    assert await place.host.create(SPEC, SNAPSHOT) == repo
    await place.host.push(repo, SNAPSHOT)
    assert await place.host.create(SPEC, SNAPSHOT) == repo


async def test_pushing_again_is_success(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    assert await place.host.push(repo, SNAPSHOT) == await place.host.push(repo, SNAPSHOT)


async def test_a_repository_with_another_marker_is_never_touched(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    await place.host.push(repo, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another")
    with pytest.raises(RepoExists, match="choose another repo_name"):
        await place.host.create(replace(SPEC, marker="gencode:12"), other)
    assert (await place.clone(repo.clone_url))[0] == sha(SNAPSHOT)


async def test_our_own_repository_with_other_commits_is_left_alone(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    await place.host.push(repo, SNAPSHOT)
    other = replace(SNAPSHOT, message="Another")
    with pytest.raises(RepoExists, match="holds other commits"):
        await place.host.create(SPEC, other)
    with pytest.raises(NonFastForward):
        await place.host.push(repo, other)
    assert (await place.clone(repo.clone_url))[0] == sha(SNAPSHOT)


async def test_an_organisation_gets_the_repository(place: Place) -> None:
    repo = await place.host.create(replace(SPEC, org="acme"), SNAPSHOT)
    assert repo.owner == "acme"
    assert await place.host.push(repo, SNAPSHOT) == sha(SNAPSHOT)


async def test_naming_the_user_as_the_organisation_means_the_user(place: Place) -> None:
    if not place.user:
        pytest.skip("a directory has no users")
    assert (await place.host.create(replace(SPEC, org=place.user.upper()), SNAPSHOT)).owner == place.user


async def test_a_push_to_a_missing_repository_says_so(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    with pytest.raises(GitNotFound):
        await place.host.push(replace(repo, clone_url=repo.clone_url.replace("hello", "gone")), SNAPSHOT)


async def test_two_pushes_at_once_of_equal_snapshots_both_succeed(place: Place) -> None:
    repo = await place.host.create(SPEC, SNAPSHOT)
    found: list[str] = []

    async def push() -> None:
        found.append(await place.host.push(repo, SNAPSHOT))

    async with anyio.create_task_group() as tg:
        tg.start_soon(push)
        tg.start_soon(push)
    assert found == [sha(SNAPSHOT)] * 2


async def test_a_description_of_any_length_and_language_keeps_the_marker(place: Place) -> None:
    spec = replace(SPEC, description="你好\n" * 2000)
    repo = await place.host.create(spec, SNAPSHOT)
    assert await place.host.create(spec, SNAPSHOT) == repo
