"""Bare repositories behind `git http-backend`, with hooks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response


def git_environment(home: Path) -> dict[str, str]:
    """An environment without the Git settings of the caller or of a test."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


class GitHTTP:
    """Serves `<root>/<owner>/<name>.git` at `/<owner>/<name>.git/...`; the caller checks credentials."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, owner: str, name: str) -> Path:
        return self.root / owner / f"{name}.git"

    async def create(self, owner: str, name: str, branch: str = "main") -> Path:
        path = self.path(owner, name)
        path.mkdir(parents=True)
        await self.git(path, "init", "-q", "--bare", "--template=", f"--initial-branch={branch}", ".")
        await self.git(path, "config", "http.receivepack", "true")
        return path

    def hook(self, owner: str, name: str, kind: str, script: str) -> None:
        """Install a shell script as `pre-receive`, `update`, ..."""
        hook = self.path(owner, name) / "hooks" / kind
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\n" + script)
        hook.chmod(0o755)

    async def head(self, owner: str, name: str, branch: str = "main") -> str | None:
        """The SHA of the branch, 40 hex digits."""
        found = await self.git(
            self.path(owner, name), "rev-parse", "-q", "--verify", f"refs/heads/{branch}", check=False
        )
        return found.strip() or None

    async def git(self, path: Path, *arguments: str, check: bool = True) -> str:
        done = await anyio.run_process(
            ["git", *arguments], cwd=path, env=git_environment(self.root), check=check
        )
        return done.stdout.decode()

    async def answer(self, request: Request, body: bytes) -> Response:
        """The response of `git http-backend`, by CGI (RFC 3875)."""
        done = await anyio.run_process(
            ["git", "http-backend"],
            input=body,
            env=self._cgi(request, body),
            stderr=subprocess.PIPE,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0]) if done.stdout else 500
        return Response(content, status, headers)

    def _cgi(self, request: Request, body: bytes) -> dict[str, str]:
        return git_environment(self.root) | {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "somebody",  # http-backend refuses a push without it
        }
