"""A push of 1,000 files compared with the git command line, and its effect on the event loop.

    python -m tests.benchmarks.push [FILES]

Both push the same files to new repositories of one `git http-backend`, which runs in a process of its own.
The command line starts where a service that uses it would start: with files to write into a work tree.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gencode.bootstrap.serve import tune_garbage_collector
from gencode.domain.git_blob import deflated
from gencode.domain.tree import Tree
from gencode.embedded.server import address, listen
from gencode.githosts.git_client import GitClient
from gencode.githosts.port import Snapshot
from tests.servers.githttp import GitHTTP, git_environment

ROUNDS = 5
BYTES = 2_000  # of a file; its words repeat as those of code do


def snapshot(files: int, *, deflate: bool = True) -> Snapshot:
    """`deflate`: its files are compressed already, as those of a project are when its last file is
    complete."""
    chance = random.Random(4)
    words = [f"{chance.randrange(10**6):x}" for _ in range(2000)]
    content = {
        f"src/p{n % 40}/m{n}.py": " ".join(chance.choices(words, k=BYTES // 6)).encode() for n in range(files)
    }
    return Snapshot(
        tree=Tree.of(content),
        message="All",
        author="a <a@b.c>",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        deflated_blobs=dict(deflated(data.decode()) for data in content.values()) if deflate else {},
    )


@asynccontextmanager
async def server(root: Path) -> AsyncIterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.push", "serve", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve(root: Path) -> None:
    backend = GitHTTP(root)

    async def answer(request: Request) -> Response:
        return await backend.answer(request, await request.body())

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    with listen() as sock:
        print(address(sock), flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="error")).serve([sock])


async def ours(url: str, what: Snapshot) -> tuple[float, float]:
    """Seconds, and the longest time for which the event loop was blocked."""
    git = GitClient()
    blocked = 0.0

    async def watch() -> None:
        nonlocal blocked
        while True:
            begin = time.perf_counter()
            await anyio.sleep(0.001)
            blocked = max(blocked, time.perf_counter() - begin - 0.001)

    async with anyio.create_task_group() as tg:
        tg.start_soon(watch)
        begin = time.perf_counter()
        await git.push(url, "token", what)
        seconds = time.perf_counter() - begin
        tg.cancel_scope.cancel()
    return seconds, blocked


def command_line(url: str, what: Snapshot, folder: Path) -> float:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", *identity, *arguments]
        subprocess.run(command, cwd=folder, env=git_environment(folder), check=True, capture_output=True)

    folder.mkdir()
    begin = time.perf_counter()
    for path, data in what.tree.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    git("init", "-q", "--initial-branch=main")
    git("add", "-A")
    git("commit", "-q", "-m", "All")
    git("push", "-q", url, "main")
    return time.perf_counter() - begin


async def main(files: int = 1000) -> None:
    what = snapshot(files)
    pushes: list[tuple[float, float]] = []
    commands: list[float] = []
    tune_garbage_collector()  # as the service does when it starts: a full collection takes 20 ms
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        async with server(root) as url:
            for number in range(ROUNDS):
                for name in (f"ours{number}", f"git{number}"):
                    await GitHTTP(root).create("o", name)
                pushes.append(await ours(f"{url}/o/ours{number}.git", what))
                target = f"{url}/o/git{number}.git"
                work = root / f"work{number}"
                commands.append(await anyio.to_thread.run_sync(command_line, target, what, work))
    seconds, git = median(s for s, _ in pushes), median(commands)
    stalls = sorted(stall * 1000 for _, stall in pushes)
    print(f"{files} files of about {BYTES} bytes, median of {ROUNDS} rounds")
    print(f"git        {git:7.3f} s")
    print(f"gencode    {seconds:7.3f} s  {seconds / git:5.2f}x")
    print(f"loop away  {median(stalls):7.1f} ms at worst in a push (all: {[round(s, 1) for s in stalls]})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        asyncio.run(main(*map(int, sys.argv[1:])))
