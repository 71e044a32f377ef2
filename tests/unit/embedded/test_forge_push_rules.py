"""Pushes that no honest client makes, as raw requests."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob, Commit, ShaFile, Tree
from dulwich.pack import write_pack_objects

from gencode.embedded.forge import forge, git_protocol
from gencode.embedded.forge.repositories import Repositories, Repository, opened
from gencode.embedded.server import address, listen, serve

ZERO = b"0" * 40
MAIN = b"refs/heads/main"
ASK = (
    b"POST /local/demo/git-upload-pack HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-git-upload-pack-request\r\nContent-Length: %d\r\n\r\n"
)
AUTH = ("anyone", "the-token")


class Pushed:
    """A fresh repository of a running forge, and raw requests to it."""

    def __init__(self, repository: Repository, client: httpx.AsyncClient) -> None:
        self.repository = repository
        self._client = client

    @property
    def port(self) -> int:
        return self._client.base_url.port or 0

    async def push(self, old: bytes, new: bytes, objects: list[ShaFile], ref: bytes = MAIN) -> str:
        return (await self.send(command(old, new, ref) + b"0000" + pack(objects))).text

    async def send(self, body: bytes, service: str = "git-receive-pack", **headers: str) -> httpx.Response:
        kind = {"Content-Type": f"application/x-{service}-request", **headers}
        return await self._client.post(f"/local/demo/{service}", content=body, headers=kind, auth=AUTH)

    def refs(self) -> dict[bytes, bytes]:
        with opened(self.repository) as repo:
            return {name: sha for name, sha in repo.get_refs().items() if name != b"HEAD"}


@asynccontextmanager
async def pushing(tmp_path: Path) -> AsyncIterator[Pushed]:
    sock = listen()
    url = address(sock)
    made = Repositories(tmp_path).create(owner="local", name="demo", description="", private=False)
    async with (
        serve(forge(tmp_path, url, "the-token"), sock),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client,
    ):
        yield Pushed(made, client)


def command(old: bytes, new: bytes, ref: bytes = MAIN) -> bytes:
    return line(old + b" " + new + b" " + ref + b"\0 report-status")


def line(text: bytes) -> bytes:
    return b"%04x%b" % (len(text) + 4, text)


def pack(objects: list[ShaFile]) -> bytes:
    chunks: list[bytes] = []
    write_pack_objects(chunks.append, [(item, None) for item in objects], DEFAULT_OBJECT_FORMAT)
    return b"".join(chunks)


def history(*messages: bytes, data: bytes = b"print()\n") -> list[ShaFile]:
    """A blob, a tree and one commit per message, each the parent of the next."""
    blob = Blob.from_string(data)
    tree = Tree()
    tree.add(b"a.py", 0o100644, blob.id)
    made: list[ShaFile] = [blob, tree]
    for message in messages:
        commit = Commit()
        commit.tree = tree.id
        commit.parents = [made[-1].id] if len(made) > 2 else []
        commit.author = commit.committer = b"A <a@example.org>"
        commit.author_time = commit.commit_time = 1_800_000_000
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = message
        made.append(commit)
    return made


async def test_a_whole_push_sets_the_branch(tmp_path: Path) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        report = await pushed.push(ZERO, objects[-1].id, objects)
        assert "unpack ok" in report
        assert "ok refs/heads/main" in report
        assert pushed.refs() == {MAIN: objects[-1].id}


@pytest.mark.parametrize("missing", [0, 1, 2], ids=["file", "tree", "parent"])
async def test_a_branch_is_not_set_to_what_lacks_an_object(tmp_path: Path, missing: int) -> None:
    objects = history(b"one", b"two")
    async with pushing(tmp_path) as pushed:
        report = await pushed.push(ZERO, objects[-1].id, objects[:missing] + objects[missing + 1 :])
        assert "ng refs/heads/main missing necessary objects" in report
        assert pushed.refs() == {}


async def test_a_branch_is_not_set_to_a_commit_that_never_came(tmp_path: Path) -> None:
    async with pushing(tmp_path) as pushed:
        assert "ng refs/heads/main missing necessary objects" in await pushed.push(ZERO, b"1" * 40, [])
        assert pushed.refs() == {}


async def test_who_lost_a_race_is_told_so(tmp_path: Path) -> None:
    first, second = history(b"one"), history(b"other")
    async with pushing(tmp_path) as pushed:
        await pushed.push(ZERO, first[-1].id, first)
        report = await pushed.push(ZERO, second[-1].id, second)
        assert "ng refs/heads/main somebody else was faster" in report
        assert pushed.refs() == {MAIN: first[-1].id}


async def test_a_branch_points_at_a_commit(tmp_path: Path) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        report = await pushed.push(ZERO, objects[0].id, objects)
        assert "ng refs/heads/main a branch points at a commit" in report
        assert pushed.refs() == {}


@pytest.mark.parametrize("ref", [b"HEAD", b"refs/heads/../../config", b"refs/heads/a.lock", b"main"])
async def test_a_ref_must_have_a_sound_name(tmp_path: Path, ref: bytes) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        assert f"ng {ref.decode()} funny refname" in await pushed.push(ZERO, objects[-1].id, objects, ref)
        assert pushed.refs() == {}


async def test_the_default_branch_cannot_be_deleted(tmp_path: Path) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        await pushed.push(ZERO, objects[-1].id, objects)
        report = await pushed.send(command(objects[-1].id, ZERO) + b"0000")
        assert "ng refs/heads/main refusing to delete the current branch" in report.text
        assert pushed.refs() == {MAIN: objects[-1].id}


async def test_the_first_branch_becomes_the_default_one(tmp_path: Path) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        await pushed.push(ZERO, objects[-1].id, objects, b"refs/heads/trunk")
        assert (pushed.repository.path / "HEAD").read_bytes() == b"ref: refs/heads/trunk\n"


@pytest.mark.parametrize("cut", [0, 8, 40, -1])
async def test_a_broken_pack_changes_nothing_and_leaves_nothing(tmp_path: Path, cut: int) -> None:
    objects = history(b"one")
    async with pushing(tmp_path) as pushed:
        body = command(ZERO, objects[-1].id) + b"0000" + pack(objects)[:cut]
        response = await pushed.send(body)
        assert response.status_code == 400 or "unpack ok" not in response.text
        assert pushed.refs() == {}
        assert not list((pushed.repository.path / "objects").glob("tmp_pack_*"))


async def test_what_is_not_gits_protocol_is_a_client_error(tmp_path: Path) -> None:
    async with pushing(tmp_path) as pushed:
        for service in ("git-receive-pack", "git-upload-pack"):
            for body in (b"", b"zzzz", b"0003", b"fff0", line(b"hello"), line(b"a b c\0"), b"\xff" * 99):
                response = await pushed.send(body, service)
                assert response.status_code in (200, 400), (service, body)
                assert response.status_code == 400 or not body
        assert (
            await pushed.send(line(b"want " + ZERO + b" side-band-64k"), "git-upload-pack")
        ).status_code == 400
        assert pushed.refs() == {}


async def test_zipped_requests_are_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = history(b"one")
    body = command(ZERO, objects[-1].id) + b"0000" + pack(objects)
    zipped = {"Content-Encoding": "gzip"}
    async with pushing(tmp_path) as pushed:
        assert (await pushed.send(body, **zipped)).status_code == 400
        assert (await pushed.send(gzip.compress(body)[:-20], **zipped)).status_code in (200, 400)
        monkeypatch.setattr(git_protocol, "MAX_INFLATED", 100)
        assert (await pushed.send(gzip.compress(body), **zipped)).status_code in (200, 400)
        assert pushed.refs() == {}
        monkeypatch.undo()
        assert "ok refs/heads/main" in (await pushed.send(gzip.compress(body), **zipped)).text


async def test_a_form_of_another_site_is_not_a_push(tmp_path: Path) -> None:
    async with pushing(tmp_path) as pushed:
        assert (await pushed.send(b"0000", **{"Content-Type": "text/plain"})).status_code == 415


async def test_no_files_stay_open(tmp_path: Path) -> None:
    async with pushing(tmp_path) as pushed:
        objects = history(b"one")
        await pushed.push(ZERO, objects[-1].id, objects)
        before = open_files(tmp_path)
        for _ in range(5):
            await pushed.push(objects[-1].id, b"1" * 40, [])
            await pushed.send(b"zzzz", "git-upload-pack")
        assert open_files(tmp_path) == before == []


async def test_a_frozen_reader_holds_up_neither_others_nor_the_end(tmp_path: Path) -> None:
    objects = history(b"one", data=os.urandom(8 * 2**20))  # more than the buffers of a socket take
    async with AsyncExitStack() as stack:
        async with pushing(tmp_path) as pushed:
            await pushed.push(ZERO, objects[-1].id, objects)
            want = line(b"want " + objects[-1].id + b" side-band-64k thin-pack ofs-delta")
            ask = want + b"0000" + line(b"done")
            frozen = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", pushed.port))
            await frozen.send(ASK % len(ask) + ask)
            assert b" 200 " in await frozen.receive(20)
            whole = await pushed.send(ask, "git-upload-pack")
            assert len(whole.content) > 8 * 2**20
        with anyio.fail_after(10):  # uvicorn cancels what is left, but does not wait for it
            while open_files(tmp_path):
                await anyio.sleep(0.01)


def open_files(root: Path) -> list[str]:
    handles = [handle for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()]
    return [str(handle.readlink()) for handle in handles if root in handle.readlink().parents]
