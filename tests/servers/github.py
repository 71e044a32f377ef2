"""A scripted GitHub: behaves like the real one by default, counts its effects, and fails as it is told to.

REST is under `/api/v3` (as on an Enterprise server), Git under `/<owner>/<name>.git`, both on one port.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from base64 import b64encode
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.embedded.server import address, listen, serve
from tests.servers.githttp import GitHTTP

TOKEN = "ghp_scriptedscriptedscripted0123456789"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What to answer in place of the truth.

    after  let the request take effect first
    lost   answer nothing: cut the connection
    """

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Mapping[str, Any] = b""
    after: bool = False
    lost: bool = False

    def response(self) -> Response:
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return Response(content, self.status, dict(self.headers))


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A request as it came in. `operation` is a name of ScriptedGitHub._ROUTES."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True, slots=True)
class Row:
    """A repository. `hidden`: how many more looks at it answer 404."""

    owner: str
    name: str
    description: str | None
    private: bool
    hidden: int = 0


class ScriptedGitHub:
    """`requests` holds all that came, `effects` counts what changed: "create", and "push" for moved branches.

    login, orgs   the token's user, and the organisations where it may create
    not_ready     how many looks at each new repository answer 404
    """

    login = "octo"

    def __init__(self, url: str, root: Path, token: str = TOKEN) -> None:
        self.url = url
        self.api_url = f"{url}/api/v3"
        self.reset(root, token)

    def reset(self, root: Path, token: str = TOKEN) -> None:
        """Forget everything; repositories to come are under `root`."""
        self.token = token
        self.orgs = {"acme"}
        self.git = GitHTTP(root)
        self.repos: dict[tuple[str, str], Row] = {}
        self.requests: list[Seen] = []
        self.effects: Counter[str] = Counter()
        self.not_ready = 0
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)

    def fail(self, operation: str, *faults: Fault, times: int = 1) -> None:
        """Let the next requests of an operation go wrong, in this order, each `times` times."""
        assert operation in {name for _, _, name in _ROUTES}
        for fault in faults:
            self._faults[operation].extend([fault] * times)

    def seen(self, operation: str) -> list[Seen]:
        return [request for request in self.requests if request.operation == operation]

    async def add(
        self, name: str, description: str | None = None, owner: str | None = None, private: bool = False
    ) -> Row:
        """Create a repository behind the API's back."""
        row = Row(owner=owner or self.login, name=name, description=description, private=private)
        await self.git.create(row.owner, row.name)
        self.repos[row.owner.lower(), row.name.lower()] = row
        return row

    async def head(self, name: str, owner: str | None = None, branch: str = "main") -> str | None:
        return await self.git.head(owner or self.login, name, branch)

    # --- serving ------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        operation, found = _operation(request)
        seen = Seen(
            operation=operation,
            method=request.method,
            path=request.url.path,
            headers=dict(request.headers),
            body=body,
        )
        self.requests.append(seen)
        fault = self._faults[operation].popleft() if self._faults[operation] else None
        response = Response()
        if fault is None or fault.after:
            response = await self._truth(seen, request, found)
        if fault and fault.lost:
            await _cut(receive, send)
        else:
            await (fault.response() if fault else response)(scope, receive, send)

    async def _truth(self, seen: Seen, request: Request, found: Mapping[str, str]) -> Response:
        if not self._knows(seen.headers.get("authorization", "")):
            return _message(401, "Bad credentials", {"www-authenticate": 'Basic realm="GitHub"'})
        handlers: dict[str, Callable[[], Awaitable[Response]]] = {
            "user": self._show_user,
            "create": lambda: self._create(seen, found.get("org")),
            "repo": lambda: self._show(found["owner"], found["name"]),
            "ref": lambda: self._ref(found["owner"], found["name"], found["branch"]),
            "info_refs": lambda: self._speak_git(found, request, seen.body),
            "upload_pack": lambda: self._speak_git(found, request, seen.body),
            "receive_pack": lambda: self._receive(found, request, seen.body),
        }
        handler = handlers.get(seen.operation)
        return await handler() if handler else _message(404, "Not Found")

    def _knows(self, authorization: str) -> bool:
        return authorization in (f"Bearer {self.token}", _basic(self.token))

    async def _show_user(self) -> Response:
        return JSONResponse({"login": self.login, "id": 1, "type": "User"})

    async def _create(self, seen: Seen, org: str | None) -> Response:
        if org is not None and org.lower() not in self.orgs:
            return _message(404, "Not Found")
        wish = seen.json()
        owner = org or self.login
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", wish["name"])
        if errors := self._errors(owner, name, wish):
            return JSONResponse({"message": "Repository creation failed.", "errors": errors}, 422)
        row = await self.add(name, wish.get("description"), owner, wish.get("private", False))
        row.hidden = self.not_ready
        self.effects["create"] += 1
        return JSONResponse(self._json(row), 201)

    def _errors(self, owner: str, name: str, wish: Mapping[str, Any]) -> list[dict[str, str]]:
        description = wish.get("description") or ""
        found = []
        if (owner.lower(), name.lower()) in self.repos:
            found.append(_error("name", "name already exists on this account"))
        if len(description) > 350:
            found.append(_error("description", "description cannot be more than 350 characters"))
        if not description.isprintable():
            found.append(_error("description", "description control characters are not allowed"))
        return found

    async def _show(self, owner: str, name: str) -> Response:
        row = self.repos.get((owner.lower(), name.lower()))
        if row is None or row.hidden > 0:
            if row:
                row.hidden -= 1
            return _message(404, "Not Found")
        return JSONResponse(self._json(row))

    async def _ref(self, owner: str, name: str, branch: str) -> Response:
        row = self.repos.get((owner.lower(), name.lower()))
        if row is None:
            return _message(404, "Not Found")
        if sha := await self.git.head(row.owner, row.name, branch):
            return JSONResponse({"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": sha}})
        any_branch = await self.git.git(self.git.path(row.owner, row.name), "for-each-ref", "refs/heads/")
        return _message(404, "Not Found") if any_branch else _message(409, "Git Repository is empty.")

    async def _speak_git(self, found: Mapping[str, str], request: Request, body: bytes) -> Response:
        if (found["owner"].lower(), found["name"].lower()) not in self.repos:
            return Response("remote: Repository not found.", 404, media_type="text/plain")
        return await self.git.answer(request, body)

    async def _receive(self, found: Mapping[str, str], request: Request, body: bytes) -> Response:
        path = self.git.path(found["owner"], found["name"])
        before = await self.git.git(path, "for-each-ref") if path.exists() else ""
        response = await self._speak_git(found, request, body)
        if path.exists() and await self.git.git(path, "for-each-ref") != before:
            self.effects["push"] += 1
        return response

    def _json(self, row: Row) -> dict[str, Any]:
        web = f"{self.url}/{row.owner}/{row.name}"
        return {
            "id": 1,
            "name": row.name,
            "full_name": f"{row.owner}/{row.name}",
            "owner": {"login": row.owner},
            "private": row.private,
            "description": row.description,
            "html_url": web,
            "clone_url": f"{web}.git",
            "default_branch": "main",
        }


@asynccontextmanager
async def github_server(root: Path, token: str = TOKEN) -> AsyncIterator[ScriptedGitHub]:
    """A scripted GitHub on a free port, its bare repositories under `root`."""
    sock = listen()
    github = ScriptedGitHub(address(sock), root, token)
    async with served(github, sock):
        yield github


@asynccontextmanager
async def served(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """`serve` in a task of its own: pytest-asyncio enters and leaves a fixture in two different tasks, which
    a task group does not suffer."""
    # Accepted sockets inherit it; else each answer waits 40 ms for the client's delayed acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ready, over = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with serve(app, sock):
            ready.set()
            await over.wait()

    task = asyncio.create_task(hold())
    await ready.wait()
    try:
        yield
    finally:
        over.set()
        await task


_REPO = r"/api/v3/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
_GIT = r"/(?P<owner>[^/]+)/(?P<name>[^/]+)\.git"
_ROUTES = (
    ("GET", re.compile(r"/api/v3/user"), "user"),
    ("POST", re.compile(r"/api/v3/user/repos"), "create"),
    ("POST", re.compile(r"/api/v3/orgs/(?P<org>[^/]+)/repos"), "create"),
    ("GET", re.compile(_REPO), "repo"),
    ("GET", re.compile(_REPO + r"/git/ref/heads/(?P<branch>.+)"), "ref"),
    ("GET", re.compile(_GIT + r"/info/refs"), "info_refs"),
    ("POST", re.compile(_GIT + r"/git-upload-pack"), "upload_pack"),
    ("POST", re.compile(_GIT + r"/git-receive-pack"), "receive_pack"),
)


def _operation(request: Request) -> tuple[str, Mapping[str, str]]:
    for method, pattern, name in _ROUTES:
        if request.method == method and (found := pattern.fullmatch(request.url.path)):
            return name, {key: value for key, value in found.groupdict().items() if value}
    return "unknown", {}


async def _cut(receive: Receive, send: Send) -> None:
    """Close the connection without a word. `send` is uvicorn's own: nothing wraps it here."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass


def _message(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": text, "status": str(status)}, status, headers)


def _error(field_name: str, message: str) -> dict[str, str]:
    return {"resource": "Repository", "code": "custom", "field": field_name, "message": message}


def _basic(token: str) -> str:
    return "Basic " + b64encode(f"x-access-token:{token}".encode()).decode()
