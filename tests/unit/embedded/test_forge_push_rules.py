"""Invalid and hostile pushes, sent as raw requests."""

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

from gencode.embedded.forge import git_services
from gencode.embedded.forge.app import forge_app
from gencode.embedded.forge.repositories import Repositories, Repository, open_repository
from gencode.embedded.server import address, listen, serve

ZERO = b"0" * 40
MAIN = b"refs/heads/main"
UPLOAD_PACK_REQUEST = (
    b"POST /local/demo/git-upload-pack HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-git-upload-pack-request\r\nContent-Length: %d\r\n\r\n"
)
AUTH = ("anyone", "the-token")


class ForgeClient:
    """Sends raw requests to an empty repository of a running forge."""

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
        with open_repository(self.repository) as repo:
            return {name: sha for name, sha in repo.get_refs().items() if name != b"HEAD"}


@asynccontextmanager
async def running_forge(tmp_path: Path) -> AsyncIterator[ForgeClient]:
    sock = listen()
    url = address(sock)
    created = Repositories(tmp_path).create(owner="local", name="demo", description="", private=False)
    async with (
        serve(forge_app(tmp_path, url, "the-token"), sock),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client,
    ):
        yield ForgeClient(created, client)


def command(old: bytes, new: bytes, ref: bytes = MAIN) -> bytes:
    return pkt_line(old + b" " + new + b" " + ref + b"\0 report-status")


def pkt_line(text: bytes) -> bytes:
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
    created: list[ShaFile] = [blob, tree]
    for message in messages:
        commit = Commit()
        commit.tree = tree.id
        commit.parents = [created[-1].id] if len(created) > 2 else []
        commit.author = commit.committer = b"A <a@example.org>"
        commit.author_time = commit.commit_time = 1_800_000_000
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = message
        created.append(commit)
    return created


async def test_a_complete_push_sets_the_branch(tmp_path: Path) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        report = await remote.push(ZERO, objects[-1].id, objects)
        assert "unpack ok" in report
        assert "ok refs/heads/main" in report
        assert remote.refs() == {MAIN: objects[-1].id}


@pytest.mark.parametrize("missing", [0, 1, 2], ids=["file", "tree", "parent"])
async def test_a_push_with_a_missing_object_is_rejected(tmp_path: Path, missing: int) -> None:
    objects = history(b"one", b"two")
    async with running_forge(tmp_path) as remote:
        report = await remote.push(ZERO, objects[-1].id, objects[:missing] + objects[missing + 1 :])
        assert "ng refs/heads/main missing necessary objects" in report
        assert remote.refs() == {}


async def test_a_push_without_its_commit_is_rejected(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as remote:
        assert "ng refs/heads/main missing necessary objects" in await remote.push(ZERO, b"1" * 40, [])
        assert remote.refs() == {}


async def test_the_loser_of_a_race_is_rejected(tmp_path: Path) -> None:
    first, second = history(b"one"), history(b"other")
    async with running_forge(tmp_path) as remote:
        await remote.push(ZERO, first[-1].id, first)
        report = await remote.push(ZERO, second[-1].id, second)
        assert "ng refs/heads/main somebody else was faster" in report
        assert remote.refs() == {MAIN: first[-1].id}


async def test_a_branch_must_point_at_a_commit(tmp_path: Path) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        report = await remote.push(ZERO, objects[0].id, objects)
        assert "ng refs/heads/main a branch points at a commit" in report
        assert remote.refs() == {}


@pytest.mark.parametrize("ref", [b"HEAD", b"refs/heads/../../config", b"refs/heads/a.lock", b"main"])
async def test_invalid_ref_names_are_rejected(tmp_path: Path, ref: bytes) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        assert f"ng {ref.decode()} funny refname" in await remote.push(ZERO, objects[-1].id, objects, ref)
        assert remote.refs() == {}


async def test_the_default_branch_cannot_be_deleted(tmp_path: Path) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        await remote.push(ZERO, objects[-1].id, objects)
        report = await remote.send(command(objects[-1].id, ZERO) + b"0000")
        assert "ng refs/heads/main refusing to delete the current branch" in report.text
        assert remote.refs() == {MAIN: objects[-1].id}


async def test_the_first_branch_becomes_the_default_one(tmp_path: Path) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        await remote.push(ZERO, objects[-1].id, objects, b"refs/heads/trunk")
        assert (remote.repository.path / "HEAD").read_bytes() == b"ref: refs/heads/trunk\n"


@pytest.mark.parametrize("cut", [0, 8, 40, -1])
async def test_a_truncated_pack_changes_nothing_and_leaves_no_file(tmp_path: Path, cut: int) -> None:
    objects = history(b"one")
    async with running_forge(tmp_path) as remote:
        body = command(ZERO, objects[-1].id) + b"0000" + pack(objects)[:cut]
        response = await remote.send(body)
        assert response.status_code == 400 or "unpack ok" not in response.text
        assert remote.refs() == {}
        assert not list((remote.repository.path / "objects").glob("tmp_pack_*"))


async def test_violations_of_gits_protocol_are_client_errors(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as remote:
        for service in ("git-receive-pack", "git-upload-pack"):
            for body in (
                b"",
                b"zzzz",
                b"0003",
                b"fff0",
                pkt_line(b"hello"),
                pkt_line(b"a b c\0"),
                b"\xff" * 99,
            ):
                response = await remote.send(body, service)
                assert response.status_code in (200, 400), (service, body)
                assert response.status_code == 400 or not body
        assert (
            await remote.send(pkt_line(b"want " + ZERO + b" side-band-64k"), "git-upload-pack")
        ).status_code == 400
        assert remote.refs() == {}


async def test_gzipped_requests_are_decompressed_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = history(b"one")
    body = command(ZERO, objects[-1].id) + b"0000" + pack(objects)
    gzip_header = {"Content-Encoding": "gzip"}
    async with running_forge(tmp_path) as remote:
        assert (await remote.send(body, **gzip_header)).status_code == 400
        assert (await remote.send(gzip.compress(body)[:-20], **gzip_header)).status_code in (200, 400)
        monkeypatch.setattr(git_services, "MAX_DECOMPRESSED_BYTES", 100)
        assert (await remote.send(gzip.compress(body), **gzip_header)).status_code in (200, 400)
        assert remote.refs() == {}
        monkeypatch.undo()
        assert "ok refs/heads/main" in (await remote.send(gzip.compress(body), **gzip_header)).text


async def test_a_form_post_of_another_site_is_rejected(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as remote:
        assert (await remote.send(b"0000", **{"Content-Type": "text/plain"})).status_code == 415


async def test_no_files_stay_open(tmp_path: Path) -> None:
    async with running_forge(tmp_path) as remote:
        objects = history(b"one")
        await remote.push(ZERO, objects[-1].id, objects)
        before = open_files(tmp_path)
        for _ in range(5):
            await remote.push(objects[-1].id, b"1" * 40, [])
            await remote.send(b"zzzz", "git-upload-pack")
        assert open_files(tmp_path) == before == []


async def test_a_client_that_stops_reading_blocks_neither_others_nor_shutdown(tmp_path: Path) -> None:
    objects = history(b"one", data=os.urandom(8 * 2**20))  # more than socket buffers hold
    async with AsyncExitStack() as stack:
        async with running_forge(tmp_path) as remote:
            await remote.push(ZERO, objects[-1].id, objects)
            want = pkt_line(b"want " + objects[-1].id + b" side-band-64k thin-pack ofs-delta")
            request = want + b"0000" + pkt_line(b"done")
            stalled = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", remote.port))
            await stalled.send(UPLOAD_PACK_REQUEST % len(request) + request)
            assert b" 200 " in await stalled.receive(20)
            whole = await remote.send(request, "git-upload-pack")
            assert len(whole.content) > 8 * 2**20
        with anyio.fail_after(60):  # uvicorn cancels open requests, but does not wait for them
            while open_files(tmp_path):
                await anyio.sleep(0.01)


def open_files(root: Path) -> list[str]:
    handles = [handle for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()]
    return [str(handle.readlink()) for handle in handles if root in handle.readlink().parents]
