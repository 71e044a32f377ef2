"""Fetching from the real git: what comes, what is kept, and what only comes when it is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gencode.githosts.errors import GitAuth, GitNotFound
from gencode.githosts.fetch.bare_clone import BareClone
from gencode.githosts.fetch.client import FetchClient, Fetched
from gencode.githosts.fetch.limits import FetchLimits, FetchProgress
from gencode.githosts.fetch.transport import Remote
from gencode.githosts.http_client import http_client
from tests.servers.git_server import GitServer, git_server


@asynccontextmanager
async def fetching(tmp_path: Path, **limits: Any) -> AsyncIterator[tuple[GitServer, Any, BareClone]]:
    clone = BareClone(tmp_path / "clones" / "one.git")
    async with git_server(tmp_path / "served") as server, http_client() as http:
        client = FetchClient("gencode", FetchLimits(**limits))

        async def fetch(url: str = "", **remote: Any) -> Fetched:
            target = Remote(url=url or server.url(), http=http, **remote)
            return await client.fetch(target, clone, FetchProgress())

        yield server, fetch, clone


def refs_of(clone: BareClone) -> dict[str, str]:
    with clone.open() as repository:
        return {name.decode(): sha.decode() for name, sha in repository.refs.as_dict().items()}


async def test_a_clone_has_branches_and_tags_and_nothing_else(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        repository = server.repository()
        first = repository.commit({"a.py": b"x = 1\n", "link:here": b"a.py"})
        repository.git("tag", "-a", "v1", "-m", "one")
        repository.git("branch", "feature/x")
        repository.git("update-ref", "refs/pull/1/head", first)
        head = repository.commit({"a.py": b"x = 2\n"})
        fetched = await fetch()
        refs = refs_of(clone)
        assert (refs["refs/heads/main"], refs["refs/heads/feature/x"]) == (head, first)
        assert set(refs) == {"HEAD", "refs/heads/main", "refs/heads/feature/x", "refs/tags/v1"}
        assert (fetched.is_new, fetched.advertised.head) == (True, b"refs/heads/main")
        assert not (clone.path / "hooks").exists()
        assert not clone.partial.exists()
        found = repository.git("-C", str(clone.path), "fsck", "--full", "--strict")
        assert b"missing" not in found


async def test_the_next_fetch_brings_what_is_missing(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        repository = server.repository()
        repository.commit({f"{number}.txt": b"%d\n" % number for number in range(50)})
        assert (await fetch()).objects == 52
        nothing = await fetch()
        assert (nothing.is_new, nothing.objects) == (False, 0)
        repository.git("branch", "old")
        head = repository.commit({f"{number}.txt": b"%d\n" % number for number in range(51)})
        repository.git("branch", "-D", "old")
        more = await fetch()
        assert (more.is_new, more.objects) == (False, 3)
        assert refs_of(clone) == {"HEAD": head, "refs/heads/main": head}
        assert len(clone.indexes()) == 2


@pytest.mark.campaign
async def test_a_history_that_was_rewritten_is_followed(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        repository = server.repository()
        repository.commit({"a": b"1"})
        await fetch()
        repository.git("checkout", "-q", "--orphan", "other")
        head = repository.commit({"b": b"2"})
        repository.git("branch", "-f", "main", "other")
        await fetch()
        assert refs_of(clone)["refs/heads/main"] == head


@pytest.mark.campaign
async def test_an_empty_repository_is_cloned_too(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        repository = server.repository()
        assert (await fetch()).advertised.refs == {}
        head = repository.commit({"a": b"1"})
        await fetch()
        assert refs_of(clone)["refs/heads/main"] == head


@pytest.mark.campaign
async def test_another_address_makes_another_clone(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        server.repository().commit({"a": b"1"})
        await fetch()
        head = server.repository("team/other").commit({"b": b"2"})
        assert (await fetch(server.url("team/other"))).is_new
        assert refs_of(clone) == {"HEAD": head, "refs/heads/main": head}
        assert clone.source() == server.url("team/other")


@pytest.mark.campaign
async def test_the_token_is_sent_where_it_is_needed(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, _):
        server.repository().commit({"a": b"1"})
        server.token = "secret-token"
        with pytest.raises(GitAuth, match="credential"):
            await fetch()
        with pytest.raises(GitAuth, match="refused the token") as refused:
            await fetch(token="wrong-token")
        assert "wrong-token" not in refused.value.message
        await fetch(token="secret-token")


async def test_a_repository_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        with pytest.raises(GitNotFound):
            await fetch(server.url("team/none"))
        assert clone.source() is None
        assert not clone.partial.exists()


@pytest.mark.campaign
async def test_what_a_killed_process_has_left_is_replaced(tmp_path: Path) -> None:
    async with fetching(tmp_path) as (server, fetch, clone):
        head = server.repository().commit({"a": b"1"})
        clone.path.mkdir(parents=True)  # no whole clone
        (clone.path / "HEAD").write_text("ref: refs/heads/evil\n")
        clone.partial.mkdir()
        (clone.partial / "new.pack").write_bytes(b"half")
        await fetch()
        assert refs_of(clone)["HEAD"] == head


@pytest.mark.campaign
async def test_many_packs_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gencode.githosts.fetch.client.MAX_PACKS", 2)
    async with fetching(tmp_path) as (server, fetch, clone):
        repository = server.repository()
        counts = []
        for number in range(4):
            head = repository.commit({"a": b"%d" % number})
            await fetch()
            counts.append(len(clone.indexes()))
        assert counts == [1, 2, 1, 2]
        assert refs_of(clone)["HEAD"] == head
