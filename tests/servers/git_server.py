"""Repositories of the real git behind HTTP, for tests of what fetches them.

async with git_server(tmp_path / "served") as server:
    repository = await server.repository("team/project")
    commit = repository.commit({"a.py": b"x = 1\n"})
    server.url("team/project")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen
from tests.servers.git_repository import GitRepository
from tests.servers.githost import basic, served
from tests.servers.githttp import GitHTTP

Answer = Callable[[Request, bytes], Awaitable[Response | None]]


class GitServer:
    """requests  that were received, with their headers
    token     the password that all requests need; "" for none
    answer    returns another response than Git's, or None
    """

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root
        self._http = GitHTTP(root)
        self.token = ""
        self.requests: list[Request] = []
        self.answer: Answer | None = None

    def url(self, name: str = "team/project") -> str:
        return f"{self._url}/{name}.git"

    def repository(self, name: str = "team/project") -> GitRepository:
        """A repository that is served; it has a work tree."""
        made = GitRepository(self._root / f"{name}.git")
        made.git("config", "uploadpack.allowFilter", "true")
        return made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.requests.append(request)
        response = await self.answer(request, body) if self.answer else None
        if response is None:
            response = await self._git(request, body)
        await response(scope, receive, send)

    async def _git(self, request: Request, body: bytes) -> Response:
        wanted = basic("x-access-token", self.token)
        if self.token and request.headers.get("authorization") != wanted:
            headers = {"www-authenticate": 'Basic realm="Git"'}
            return Response("remote: Access denied.", 401, headers, media_type="text/plain")
        return await self._http.answer(request, body)


@asynccontextmanager
async def git_server(root: Path) -> AsyncIterator[GitServer]:
    sock = listen()
    server = GitServer(address(sock), root)
    async with served(server, sock):
        yield server
