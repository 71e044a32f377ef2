"""A repository that the real git writes and compares, for tests of what reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "王小明",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
LINK, EXECUTABLE = "link:", "executable:"
"""Before a path: its content is the target of a symbolic link, or it may be executed."""


class GitRepository:
    """A repository with a work tree at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, data: bytes | None = None) -> bytes:
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            input=data,
        ).stdout

    def commit(self, files: Mapping[str | bytes, bytes], message: str = "change") -> str:
        """Commit a tree that has exactly these files. Returns the commit's id."""
        for entry in self.path.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for path, data in files.items():
            self._write(os.fsdecode(path), data)
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").decode().strip()

    def _write(self, name: str, data: bytes) -> None:
        path = self.path / name.removeprefix(LINK).removeprefix(EXECUTABLE)
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith(LINK):
            os.symlink(data, os.fsencode(path))
            return
        path.write_bytes(data)
        if name.startswith(EXECUTABLE):
            path.chmod(0o755)

    def diff(self, old: str, new: str, *arguments: str) -> bytes:
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "-M", "--full-index")
        return self.git("diff", *options, *arguments, old, new)
