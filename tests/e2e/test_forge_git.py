"""The local forge with the `git` command line: real sockets, real repositories."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import httpx
import pytest

from gencode.embedded.forge.app import forge_app
from gencode.embedded.server import address, listen, serve

TOKEN = "the-token"

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


class GitWorkspace:
    """A folder for git commands, next to a running forge with one empty repository `local/demo`."""

    def __init__(self, folder: Path, url: str, client: httpx.AsyncClient) -> None:
        self.folder = folder
        self.repository_url = f"{url}/local/demo"
        self.push_url = self.repository_url.replace("//", f"//anyone:{TOKEN}@")
        self.client = client
        self._seconds = 0

    async def git(self, *arguments: str | Path, at: str = ".", fails: bool = False) -> str:
        self._seconds += 1  # each commit is later than the previous one: negotiation depends on dates
        done = await run(self.folder / at, *arguments, second=self._seconds)
        output = (done.stdout + done.stderr).decode()
        assert (done.returncode != 0) == fails, output
        return output.strip()

    async def create_work_tree(self, files: int = 3) -> None:
        """A work tree `w` with one commit on main."""
        await self.git("init", "-q", "-b", "main", "w")
        for number in range(files):
            path = self.folder / "w" / f"folder{number % 7}" / f"file{number}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"print({number})\n" * 40)
        await self.commit("w", "README.md", "# Demo\n")

    async def commit(self, at: str, name: str, text: str) -> None:
        (self.folder / at / name).write_text(text)
        await self.git("add", "-A", at=at)
        await self.git("commit", "-q", "-m", f"Set {name}", at=at)

    async def checked_head(self, at: str) -> str:
        """The head of a clone; `git fsck` must find no error in it."""
        assert not await self.git("fsck", "--strict", "--no-dangling", "--no-progress", at=at)
        return await self.git("rev-parse", "HEAD", at=at)


@asynccontextmanager
async def forge_with_git(tmp_path: Path) -> AsyncIterator[GitWorkspace]:
    sock = listen()
    url = address(sock)
    async with (
        serve(forge_app(tmp_path / "forge", url, TOKEN), sock),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as client,
    ):
        created = await client.post(
            "/api/v3/user/repos", json={"name": "demo"}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert created.status_code == 201
        yield GitWorkspace(tmp_path, url, client)


async def run(folder: Path, *arguments: str | Path, second: int = 0) -> CompletedProcess[bytes]:
    """Run git without the configuration and proxies of the machine; the event loop keeps serving."""
    identity = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_COMMITTER_DATE": f"{1_800_000_000 + second} +0000",
        **dict.fromkeys(identity, "a@example.org"),
    }
    return await anyio.run_process(["git", *map(str, arguments)], cwd=folder, env=env, check=False)


async def test_one_url_opens_in_a_browser_and_can_be_cloned(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree(200)
        await local.git("push", local.push_url, "main", at="w")
        page = await local.client.get(local.repository_url)
        await local.git("clone", "-q", local.repository_url, "c")
        head = await local.checked_head("c")
        assert head == await local.git("rev-parse", "HEAD", at="w")
        assert (page.status_code, "file199.py" in page.text) == (200, True)
        assert (tmp_path / "c" / "folder3" / "file199.py").read_text() == "print(199)\n" * 40
        assert await local.git("branch", "--show-current", at="c") == "main"
        assert not await local.git("fsck", "--strict", "--no-progress", at="forge/local/demo.git")


async def test_an_empty_repository_is_cloned_and_then_pushed_to(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        assert "empty repository" in await local.git("clone", local.push_url + ".git", "c")
        await local.git("checkout", "-q", "-b", "main", at="c")
        await local.commit("c", "a", "a")
        await local.git("push", "-q", "origin", "main", at="c")
        await local.git("clone", "-q", local.repository_url, "d")
        assert await local.checked_head("d") == await local.git("rev-parse", "HEAD", at="c")


async def test_later_commits_are_pushed_and_pulled(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("clone", "-q", local.repository_url, "c")
        await local.commit("w", "b", "b")
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("tag", "-a", "-m", "One", "v1", at="w")
        await local.git("push", "-q", local.push_url, "v1", "main:other", at="w")
        await local.git("pull", "-q", "--tags", at="c")
        assert await local.checked_head("c") == await local.git("rev-parse", "main", at="w")
        assert await local.git("tag", at="c") == "v1"


async def test_a_push_without_the_token_is_rejected(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        assert "could not read Username" in await local.git(
            "push", local.repository_url, "main", at="w", fails=True
        )
        wrong = local.push_url.replace(TOKEN, "other")
        assert "Authentication failed" in await local.git("push", wrong, "main", at="w", fails=True)
        assert not await local.git("ls-remote", local.repository_url)
        post = await local.client.post(
            "/local/demo/git-receive-pack",
            content=b"0000",
            headers={"Content-Type": "application/x-git-receive-pack-request"},
        )
        assert (post.status_code, post.headers["www-authenticate"][:5]) == (401, "Basic")


async def test_a_push_that_is_not_a_fast_forward_is_rejected_without_force(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("commit", "-q", "--amend", "-m", "Other", at="w")
        assert "rejected" in await local.git("push", local.push_url, "main", at="w", fails=True)
        await local.git("push", "-q", "--force", local.push_url, "main", at="w")


async def test_a_shallow_clone_can_push_and_be_deepened(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        for text in ("b", "c", "d"):
            await local.commit("w", "b", text)
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("clone", "-q", "--depth", "1", local.push_url, "c")
        assert await local.git("rev-list", "--count", "HEAD", at="c") == "1"
        await local.commit("c", "e", "e")
        await local.git("push", "-q", "origin", "main", at="c")
        await local.git("fetch", "-q", "--unshallow", at="c")
        assert await local.git("rev-list", "--count", "HEAD", at="c") == "5"
        await local.git("pull", "-q", local.repository_url, "main", at="w")
        assert await local.checked_head("c") == await local.checked_head("w")


@pytest.mark.parametrize("version", ["0", "1", "2"])
async def test_every_protocol_version_of_git_can_clone(tmp_path: Path, version: str) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("-c", f"protocol.version={version}", "clone", "-q", local.repository_url, "c")
        assert await local.checked_head("c") == await local.git("rev-parse", "HEAD", at="w")


async def test_a_partial_clone_gets_all_objects(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("clone", "-q", "--filter=blob:none", local.repository_url, "c")
        assert await local.checked_head("c") == await local.git("rev-parse", "HEAD", at="w")


async def test_a_long_gzipped_negotiation_is_decompressed(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("clone", "-q", local.repository_url, "c")
        for number in range(100):  # git gzips requests larger than 1 KiB
            await local.git("commit", "-q", "--allow-empty", "-m", str(number), at="c")
        await local.commit("w", "b", "b")
        await local.git("push", "-q", local.push_url, "main", at="w")
        assert "gzip" in await local.git("fetch", "-v", at="c")
        await local.git("merge", "-q", "-m", "Join", "origin/main", at="c")
        await local.checked_head("c")


async def test_a_push_larger_than_gits_buffer_is_received_in_chunks(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        (tmp_path / "w" / "big").write_bytes(os.urandom(3 * 2**20))
        await local.commit("w", "b", "b")
        await local.git("push", "-q", local.push_url, "main", at="w")
        await local.git("clone", "-q", local.repository_url, "c")
        assert (tmp_path / "c" / "big").read_bytes() == (tmp_path / "w" / "big").read_bytes()
        assert list((tmp_path / "forge" / ".scratch").iterdir()) == []


async def test_twenty_concurrent_clones(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree(50)
        await local.git("push", "-q", local.push_url, "main", at="w")
        head = await local.git("rev-parse", "HEAD", at="w")
        heads: list[str] = []

        async def clone(number: int) -> None:
            await local.git("clone", "-q", local.repository_url, f"c{number}")
            heads.append(await local.checked_head(f"c{number}"))

        async with anyio.create_task_group() as tg:
            for number in range(20):
                tg.start_soon(clone, number)
        assert heads == [head] * 20


async def test_of_two_concurrent_pushes_one_is_rejected(tmp_path: Path) -> None:
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        await local.git("push", "-q", local.push_url, "main", at="w")
        codes: list[int] = []

        async def push(name: str) -> None:
            codes.append((await run(tmp_path / name, "push", "-q", "origin", "main")).returncode)

        for name in ("c", "d"):
            await local.git("clone", "-q", local.push_url, name)
            await local.commit(name, name, name)
        async with anyio.create_task_group() as tg:
            tg.start_soon(push, "c")
            tg.start_soon(push, "d")
        heads = [await local.git("rev-parse", "HEAD", at=name) for name in ("c", "d")]
        assert sorted(code != 0 for code in codes) == [False, True]
        assert (await local.git("ls-remote", local.repository_url, "main")).split()[0] in heads


@pytest.mark.parametrize("address", ["/local/none", "/local/demo/deeper", "/local/..", "/nobody/demo"])
async def test_a_repository_that_does_not_exist_cannot_be_cloned(tmp_path: Path, address: str) -> None:
    async with forge_with_git(tmp_path) as local:
        url = str(local.client.base_url).rstrip("/") + address
        assert "not found" in await local.git("clone", url, "c", fails=True)


@pytest.mark.parametrize(
    "capabilities", ["", "side-band-64k", "ofs-delta", "side-band-64k ofs-delta agent=git/isomorphic-git@1.0"]
)
async def test_a_client_of_few_capabilities_gets_a_pack_that_needs_no_others(
    tmp_path: Path, capabilities: str
) -> None:
    """The stored pack has deltas; the client may know neither them, nor side bands, nor thin packs."""
    async with forge_with_git(tmp_path) as local:
        await local.create_work_tree()
        similar = hashlib.shake_256(b"text").hexdigest(2000)
        for number in range(5):
            await local.commit("w", "similar", f"{similar}{number}\n")
        await local.git("push", "-q", local.push_url, "main", at="w")
        head = await local.git("rev-parse", "HEAD", at="w")
        answer = await local.client.post(
            "/local/demo/git-upload-pack",
            content=packet(f"want {head} {capabilities}".rstrip() + "\n") + b"0000" + packet("done\n"),
            headers={"Content-Type": "application/x-git-upload-pack-request"},
        )
        assert answer.status_code == 200, answer.text
        pack = received_pack(answer.content, "side-band" in capabilities)
        assert hashlib.sha1(pack[:-20]).digest() == pack[-20:]
        (tmp_path / "received.pack").write_bytes(pack)
        await local.git("init", "-q", "c")
        await local.git("index-pack", "--strict", "../received.pack", at="c")
        objects = await local.git("verify-pack", "-v", "../received.pack", at="c")
        assert head in objects
        assert ("ofs-delta" in capabilities) == ("chain length" in objects)


def packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


def received_pack(answer: bytes, has_side_bands: bool) -> bytes:
    """What follows the packet `NAK`; side band 1 alone is the pack."""
    assert answer.startswith(packet("NAK\n"))
    rest = answer[8:]
    if not has_side_bands:
        return rest
    pack = b""
    while size := int(rest[:4], 16):
        pack += rest[5:size] if rest[4] == 1 else b""
        rest = rest[size:]
    return pack
