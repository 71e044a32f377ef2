"""Clones generated repositories with plain `git clone`, as their owners do."""

from __future__ import annotations

from pathlib import Path

import anyio

from tests.servers.githttp import git_environment


async def cloned(url: str, folder: Path) -> Path:
    """A fresh clone in `folder`; `git fsck --strict` must find no error in it."""
    await git(folder.parent, "clone", "--quiet", url, folder.name)
    assert not await git(folder, "fsck", "--strict", "--no-dangling", "--no-progress")
    return folder


async def git(folder: Path, *words: str) -> str:
    """Its output, with standard error. Raises CalledProcessError."""
    done = await anyio.run_process(["git", *words], cwd=folder, env=git_environment(folder))
    return (done.stdout + done.stderr).decode().strip()


async def files(folder: Path) -> set[str]:
    return set((await git(folder, "ls-files", "-z")).strip("\0").split("\0"))
