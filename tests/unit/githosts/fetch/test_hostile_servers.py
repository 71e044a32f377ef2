"""Servers that lie, redirect, or send more than is taken: each ends in a stable error and leaves nothing."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import RedirectResponse, Response, StreamingResponse

from gencode.domain.errors import GencodeError
from gencode.githosts.errors import GitError, GitProtocol, GitRejected, GitTimeout, GitUnavailable
from gencode.githosts.fetch.bare_clone import BareClone
from gencode.githosts.fetch.client import FetchClient, Fetched
from gencode.githosts.fetch.errors import RepositoryTooLarge
from gencode.githosts.fetch.limits import FetchLimits, FetchProgress
from gencode.githosts.fetch.transport import Remote
from gencode.githosts.http_client import http_client
from tests.servers.hostile_git import (
    ADVERTISEMENT,
    BLOB,
    COMMIT,
    OFS_DELTA,
    RESULT,
    TREE,
    HandMadeServer,
    advertisement,
    commit_of,
    entry,
    hand_made_server,
    line,
    name_of,
    packed,
    sent,
    variable,
)

TOKEN = "token-5be1f0c2d37a"
BLOB_CONTENT = b"hello\n"
TREE_CONTENT = b"100644 a.txt\0" + bytes.fromhex(name_of(b"blob", BLOB_CONTENT).decode())
COMMIT_CONTENT = commit_of(name_of(b"tree", TREE_CONTENT))
HEAD = name_of(b"commit", COMMIT_CONTENT)
REFS = {b"HEAD": HEAD, b"refs/heads/main": HEAD}
WHOLE = (entry(COMMIT, COMMIT_CONTENT), entry(TREE, TREE_CONTENT), entry(BLOB, BLOB_CONTENT))


class Attempt:
    def __init__(self, clone: BareClone, http: Any, server: HandMadeServer) -> None:
        self.clone, self.server, self._http = clone, server, http

    async def fetch(self, url: str = "", **limits: Any) -> Fetched:
        remote = Remote(url=url or self.server.url, http=self._http, token=TOKEN)
        return await FetchClient("gencode", FetchLimits(**limits)).fetch(remote, self.clone, FetchProgress())

    async def fails(self, kind: type[GencodeError], match: str, **limits: Any) -> None:
        with pytest.raises(kind, match=match) as failed:
            await self.fetch(**limits)
        assert TOKEN not in failed.value.message
        assert not self.clone.path.exists()
        assert not self.clone.partial.exists()


@asynccontextmanager
async def attempt(tmp_path: Path) -> AsyncIterator[Attempt]:
    async with hand_made_server() as server, http_client() as http:
        yield Attempt(BareClone(tmp_path / "clones" / "one.git"), http, server)


async def test_what_is_made_by_hand_is_a_repository(tmp_path: Path) -> None:
    """Otherwise the other tests would prove nothing."""
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(packed(*WHOLE)))
        assert (await one.fetch()).objects == 3
        assert one.clone.is_whole()


# --- objects ------------------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.parametrize(
    "pack",
    [
        packed(entry(COMMIT, COMMIT_CONTENT, size=4), *WHOLE[1:]),
        packed(entry(COMMIT, COMMIT_CONTENT, size=2**20), *WHOLE[1:]),
        packed(*WHOLE, count=2),
        packed(*WHOLE, count=4),
        packed(*WHOLE)[:-1] + b"x",
        packed(*WHOLE)[:60],
        packed(*WHOLE) + b"more",
        packed(*WHOLE[:2]),
        packed(WHOLE[0], WHOLE[2]),
        packed(*WHOLE, entry(OFS_DELTA, b"\1\1\1", base=b"\x7f\x7f")),
        packed(*WHOLE, entry(5, b"of no kind")),
        packed(*WHOLE, entry(TREE, b"100644 without an end")),
        packed(*WHOLE, entry(COMMIT, b"tree zz\n\n")),
        b"PACK",
        b"not a pack at all, but long enough to be read as one",
    ],
    ids=[
        *("smaller", "larger", "fewer", "more", "checksum", "cut", "longer"),
        *("no blob", "no tree", "no base", "kind", "tree", "commit", "head", "text"),
    ],
)
async def test_damaged_objects_are_not_kept(tmp_path: Path, pack: bytes) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(pack))
        await one.fails(GitProtocol, "damaged|protocol")


@pytest.mark.campaign
async def test_a_pack_without_the_commit_that_a_branch_names_is_refused(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        other = b"1" * 40
        one.server.serve(REFS | {b"refs/heads/other": other}, sent(packed(*WHOLE)))
        await one.fails(GitProtocol, other.decode())


@pytest.mark.campaign
async def test_an_object_that_inflates_to_more_than_is_taken_is_refused(tmp_path: Path) -> None:
    bomb = entry(BLOB, bytes(10 * 2**20))
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(packed(*WHOLE, bomb)))
        await one.fails(RepositoryTooLarge, "an object of more than 1048576 bytes", object_bytes=2**20)
        await one.fails(RepositoryTooLarge, "inflated", inflated_bytes=5 * 2**20)
        assert (await one.fetch()).objects == 4


@pytest.mark.campaign
async def test_a_small_delta_that_makes_a_large_object_is_refused(tmp_path: Path) -> None:
    """It copies the same 64 KB again and again."""
    base = entry(BLOB, bytes(2**16))
    delta = variable(2**16) + variable(2**16 * 4000) + b"\x80" * 4000
    bomb = entry(OFS_DELTA, delta, base=bytes((len(base),)))
    assert len(base) < 128
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(packed(*WHOLE, base, bomb)))
        await one.fails(RepositoryTooLarge, "an object of more than 104857600 bytes")


async def test_more_objects_than_are_taken_end_the_download(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(packed(*WHOLE, count=2**31)))
        await one.fails(RepositoryTooLarge, "more than 1000000 objects")


async def test_an_endless_pack_ends_at_the_limit(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        yield line(b"NAK\n") + line(b"\1" + packed(*WHOLE))
        while True:
            yield line(b"\1" + bytes(60_000))

    async with attempt(tmp_path) as one:
        one.server.serve(REFS, b"")
        one.server.objects = lambda: StreamingResponse(endless(), media_type=RESULT)
        await one.fails(RepositoryTooLarge, "more than 5000000 bytes", pack_bytes=5_000_000)


@pytest.mark.campaign
async def test_a_compressed_answer_counts_as_it_is_read(tmp_path: Path) -> None:
    compressed = gzip.compress(sent(packed(*WHOLE) + bytes(50 * 2**20)))
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, b"")
        headers = {"content-encoding": "gzip"}
        one.server.objects = lambda: Response(compressed, 200, headers, RESULT)
        await one.fails(RepositoryTooLarge, "bytes", pack_bytes=5_000_000)


# --- refs ---------------------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.parametrize(
    "name",
    [
        b"refs/heads/../../evil",
        b"refs/heads/a\x1bb",
        b"refs/heads/a b",
        b"refs/heads/.hidden",
        b"refs/heads/a.lock",
        b"refs/heads/a//b",
        b"refs/heads/\xff\xfe",
        b"refs/heads/" + b"x" * 300,
        b"refs/tags/a@{1}",
        b"refs/heads/-a\\b",
    ],
)
async def test_names_that_are_not_valid_are_left_out(tmp_path: Path, name: bytes) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS | {name: HEAD}, sent(packed(*WHOLE)))
        advertised = (await one.fetch()).advertised
        assert dict(advertised.refs) == {b"refs/heads/main": HEAD}
        assert advertised.left_out == 1
        assert not list(tmp_path.rglob("*evil*"))


async def test_a_million_refs_are_not_read_to_the_end(tmp_path: Path) -> None:
    made = 0

    def many() -> Iterator[bytes]:
        nonlocal made
        yield advertisement(REFS)[:-4]
        for made in range(0, 1_000_000, 1000):
            some = range(made, made + 1000)
            yield b"".join(line(b"%s refs/heads/branch-%07d" % (HEAD, number)) for number in some)
        yield b"0000"

    async with attempt(tmp_path) as one:
        one.server.refs = lambda: StreamingResponse(many(), media_type=ADVERTISEMENT)
        await one.fails(RepositoryTooLarge, "more than 1000000 bytes", refs_bytes=1_000_000)
        assert made < 900_000


async def test_too_many_branches_are_refused(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS | {b"refs/heads/%d" % number: HEAD for number in range(20)}, b"")
        await one.fails(RepositoryTooLarge, "more than 20 branches and tags", refs=20)


@pytest.mark.parametrize("sha", [b"x" * 40, b"../../etc/passwd", b"1" * 39, b"1" * 64])
async def test_ids_that_are_none_are_refused(tmp_path: Path, sha: bytes) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS | {b"refs/heads/other": sha}, sent(packed(*WHOLE)))
        await one.fails(GitError, "ids that are none|protocol|SHA-256")


async def test_a_repository_of_sha256_is_told(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        refs = advertisement({b"HEAD": b"1" * 64}, b"object-format=sha256")
        one.server.refs = lambda: Response(refs, media_type=ADVERTISEMENT)
        await one.fails(GitRejected, "SHA-256")


@pytest.mark.campaign
async def test_a_branch_may_name_what_is_no_commit(tmp_path: Path) -> None:
    """A fetch after it asks for nothing of it."""
    async with attempt(tmp_path) as one:
        refs = REFS | {b"refs/heads/blob": name_of(b"blob", BLOB_CONTENT)}
        one.server.serve(refs, sent(packed(*WHOLE)))
        await one.fetch()
        one.server.serve(refs | {b"refs/heads/next": b"2" * 40}, sent(packed(*WHOLE)))
        with pytest.raises(GitProtocol, match="2" * 40):
            await one.fetch()
        assert one.clone.is_whole()


# --- redirects ----------------------------------------------------------------------------------------


async def test_another_host_is_not_called(tmp_path: Path) -> None:
    async with hand_made_server() as other, attempt(tmp_path) as one:
        target = f"{other.url}/info/refs?service=git-upload-pack"
        one.server.refs = lambda: RedirectResponse(target)
        await one.fails(GitProtocol, "another")
        assert other.requests == []


async def test_a_pack_is_not_fetched_from_another_host(tmp_path: Path) -> None:
    """Version 2 of the protocol lets a server name the address of a pack."""
    async with hand_made_server() as other, attempt(tmp_path) as one:
        place = b"%s https%s sha1\n" % (b"f" * 40, other.url.removeprefix("http").encode())
        capabilities = (b"version 2\n", b"ls-refs\n", b"fetch=shallow\n", b"packfile-uris\n")
        refs = b"".join(line(b"%s %s\n" % (sha, name)) for name, sha in REFS.items()) + b"0000"
        uris = line(b"packfile-uris\n")
        uris += line(b"https%s sha1 %s\n" % (other.url.removeprefix("http").encode(), b"f" * 40))
        uris += line(place) + line(b"packfile\n") + b"0000"
        answers = iter([refs, uris])
        advertised = b"".join(map(line, capabilities)) + b"0000"
        one.server.refs = lambda: Response(advertised, media_type=ADVERTISEMENT)
        one.server.objects = lambda: Response(next(answers), media_type=RESULT)
        await one.fails(GitProtocol, "another")
        assert other.requests == []


async def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        target = f"{one.server.url}/info/refs?service=git-upload-pack"
        one.server.refs = lambda: RedirectResponse(target)
        await one.fails(GitProtocol, "circle")
        assert len(one.server.requests) == 4


@pytest.mark.campaign
async def test_a_redirect_within_the_host_is_followed(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(packed(*WHOLE)))
        refs = one.server.refs
        moved = f"{one.server.origin}/new/place.git/info/refs?service=git-upload-pack"
        answers = iter([RedirectResponse(moved), refs()])
        one.server.refs = lambda: next(answers)
        await one.fetch()
        assert [request.url.path for request in one.server.requests] == [
            "/team/project.git/info/refs",
            "/new/place.git/info/refs",
            "/new/place.git/git-upload-pack",
        ]


# --- words --------------------------------------------------------------------------------------------


async def test_the_words_of_the_host_are_told(tmp_path: Path) -> None:
    async with attempt(tmp_path) as one:
        one.server.serve(REFS, sent(b"fatal: the disk of the host is full", channel=b"\3"))
        await one.fails(GitProtocol, "the disk of the host is full")
        one.server.refs = lambda: Response("no more requests today", 429, {"retry-after": "60"})
        await one.fails(GitUnavailable, "Retry-After: 60")
        one.server.refs = lambda: Response("<html>", media_type="text/html")
        await one.fails(GitProtocol, "text/html, which is not Git")
        refused = line(b"# service=git-upload-pack\n") + b"0000" + line(b"ERR access denied: not exported")
        one.server.refs = lambda: Response(refused, media_type=ADVERTISEMENT)
        await one.fails(GitProtocol, "access denied")


@pytest.mark.campaign
async def test_a_host_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield line(b"NAK\n")
        await anyio.sleep_forever()

    async with attempt(tmp_path) as one:
        one.server.serve(REFS, b"")
        one.server.objects = lambda: StreamingResponse(silent(), media_type=RESULT)
        await one.fails(GitTimeout, "in time", idle_seconds=0.2)
        await one.fails(GitTimeout, "0.2 s", seconds=0.2)


async def test_a_cancelled_download_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    is_ended, is_waiting = anyio.Event(), anyio.Event()

    async def silent() -> AsyncIterator[bytes]:
        yield line(b"NAK\n")
        is_waiting.set()
        try:
            await anyio.sleep_forever()
        finally:
            is_ended.set()

    async with attempt(tmp_path) as one:
        one.server.serve(REFS, b"")
        one.server.objects = lambda: StreamingResponse(silent(), media_type=RESULT)
        async with anyio.create_task_group() as group:
            group.start_soon(one.fetch)
            await is_waiting.wait()
            group.cancel_scope.cancel()
        assert not one.clone.partial.exists()
        await is_ended.wait()
