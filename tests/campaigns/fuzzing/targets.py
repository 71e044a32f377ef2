"""Servers that requests name: a Git repository and a model that may be called, and one that may not.

The servers that may be called listen on 127.0.0.1, and lead to the forbidden one by redirects.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import serve
from tests.servers.fixed_reply import fixed_reply_server
from tests.servers.git_server import git_server
from tests.servers.model import model_server, text

FORBIDDEN = "127.0.0.2"


@dataclass(kw_only=True)
class Targets:
    """calls: the addresses at which the forbidden server was called, with what was sent."""

    repository: str
    model_url: str
    redirecting: str
    port: int
    calls: list[str] = field(default_factory=list)

    def urls(self) -> dict[str, Any]:
        hosts = (
            *(FORBIDDEN, "127.2", "0x7f000002", "2130706434", "0177.0.0.2", "127.0.0.2.", "①②⑦.0.0.2"),
            *(
                "[::1]",
                "[::ffff:127.0.0.2]",
                "[::ffff:7f00:2]",
                "[0:0:0:0:0:ffff:127.0.0.2]",
                "[::127.0.0.2]",
            ),
            *("[64:ff9b::7f00:2]", "0", "0.0.0.0", "localhost.", "user:pw@127.0.0.2", "127.0.0.1@127.0.0.2"),
            *(
                "169.254.169.254",
                "[fe80::1%25lo]",
                "[fd00:ec2::254]",
                "metadata.google.internal",
                "x.invalid",
            ),
        )
        urls = [f"http://{host}:{self.port}/team/project.git" for host in hosts]
        schemes = ("https", "git", "ssh", "file", "ftp", "gopher", "ext::sh -c", "HTTP")
        urls += [f"{scheme}://{FORBIDDEN}:{self.port}/x" for scheme in schemes]
        urls += [
            "file:///etc/passwd",
            "/etc/passwd",
            "git@127.0.0.2:x.git",
            "--upload-pack=x",
            self.redirecting,
        ]
        return {"repository": self.repository, "model_url": self.model_url, "forbidden_urls": urls}


@asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[Targets]:
    async with (
        git_server(folder / "served") as git,
        model_server(lambda _body: text("hello")) as model,
        _forbidden() as (port, calls),
        fixed_reply_server(Response(status_code=307, headers=_location(port))) as (redirecting, _),
    ):
        _commit(git)
        yield Targets(
            repository=git.url(),
            model_url=model.base_url,
            redirecting=f"{redirecting}/team/project.git",
            port=port,
            calls=calls,
        )


def _commit(git: Any) -> None:
    repository = git.repository()
    repository.commit({"a.py": b"x = 1\n"}, "first")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit({"a.py": b"x = 1\n", "src/b.py": b"def b():\n    return 1\n"}, "second")
    repository.git("checkout", "-q", "main")


@asynccontextmanager
async def _forbidden() -> AsyncIterator[tuple[int, list[str]]]:
    """Its port, and the addresses at which it was called."""
    calls: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            calls.append(f"{scope['method']} {scope['path']} of {dict(scope['headers']).get(b'host')}")
            await Response("forbidden")(scope, receive, send)

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind((FORBIDDEN, 0))
    sock.listen(100)
    async with serve(app, sock):
        yield sock.getsockname()[1], calls


def _location(port: int) -> dict[str, str]:
    return {"location": f"http://{FORBIDDEN}:{port}/redirected"}
