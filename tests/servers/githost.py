"""A scripted Git host: behaves like the real one by default, counts its effects, and fails on request.

This module has what all hosts share; the documented API of each is in a module of its name. Git is at
`/<owner>/<name>.git`, on the port of the API.
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
from typing import Any, ClassVar
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gencode.embedded.server import serve
from tests.servers.githttp import GitHTTP


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """The response in place of the real one.

    after  the request takes effect first
    lost   no response: the connection is aborted
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
class ReceivedRequest:
    """A request as it was received. `operation` is the name of one of the host's routes."""

    operation: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True, slots=True)
class Row:
    """A repository. `hidden`: how many more requests for it return 404; `branch`: the default one."""

    owner: str
    name: str
    description: str | None
    private: bool
    hidden: int = 0
    branch: str = "main"


Route = tuple[str, re.Pattern[str], str]


def route(method: str, path: str, operation: str) -> Route:
    """`path` is a pattern of the raw path, in which an encoded slash is no separator."""
    return method, re.compile(path), operation


GIT = (
    route("GET", r"/(?P<owner>.+)/(?P<name>[^/]+)\.git/info/refs", "info_refs"),
    route("POST", r"/(?P<owner>.+)/(?P<name>[^/]+)\.git/git-upload-pack", "upload_pack"),
    route("POST", r"/(?P<owner>.+)/(?P<name>[^/]+)\.git/git-receive-pack", "receive_pack"),
)


class ScriptedHost:
    """A host with an API and Git.

    requests                 all received requests
    effects                  counts changes: "create", and "push" for moved branches
    login, orgs              the token's user, and the organisations in which it may create
    may_create               whether the host says that the token's user may create repositories
    not_ready                how many requests for each new repository return 404
    advertised_url           the origin of the URLs in its responses
    routes                   the API's paths with their operations; each operation is the name of a method
    git_user                 the user whose password the token must be for Git
    first_push_sets_default  whether the first push makes its branch the default one
    """

    login = "octo"
    routes: ClassVar[tuple[Route, ...]]
    git_user = "x-access-token"
    first_push_sets_default = True

    def __init__(self, url: str, root: Path, token: str) -> None:
        self.url = url
        self.reset(root, token)

    def reset(self, root: Path, token: str) -> None:
        """Remove all state; new repositories are created under `root`."""
        self.token = token
        self.advertised_url = self.url
        self.orgs = {"acme"}
        self.git = GitHTTP(root)
        self.repos: dict[tuple[str, str], Row] = {}
        self.requests: list[ReceivedRequest] = []
        self.effects: Counter[str] = Counter()
        self.not_ready = 0
        self.may_create = True
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)

    def fail(self, operation: str, *faults: Fault, times: int = 1) -> None:
        """Answer the next requests of an operation with these faults, in this order, each `times` times."""
        assert operation in {name for _, _, name in (*self.routes, *GIT)}
        for fault in faults:
            self._faults[operation].extend([fault] * times)

    @property
    def writes(self) -> list[ReceivedRequest]:
        """The requests that would change something."""
        return [request for request in self.requests if request.method != "GET"]

    def seen(self, operation: str) -> list[ReceivedRequest]:
        return [request for request in self.requests if request.operation == operation]

    async def add(
        self,
        name: str,
        description: str | None = None,
        owner: str | None = None,
        private: bool = False,
        branch: str = "main",
    ) -> Row:
        """Create a repository without a request."""
        owner = owner or self.login
        row = Row(owner=owner, name=name, description=description, private=private, branch=branch)
        await self.git.create(row.owner, row.name, branch)
        self.repos[row.owner.lower(), row.name.lower()] = row
        return row

    async def create_row(self, name: str, description: str | None, owner: str, **more: Any) -> Row:
        """Create a repository for a request."""
        row = await self.add(name, description, owner, **more)
        row.hidden = self.not_ready
        self.effects["create"] += 1
        return row

    def find(self, owner: str, name: str) -> Row | None:
        return self.repos.get((owner.lower(), name.lower()))

    def visible(self, owner: str, name: str) -> Row | None:
        """The repository as the API returns it: None while it is hidden."""
        row = self.find(owner, name)
        if row and row.hidden > 0:
            row.hidden -= 1
            return None
        return row

    async def head(self, name: str, owner: str | None = None, branch: str = "main") -> str | None:
        return await self.git.head(owner or self.login, name, branch)

    # --- defined by each host -----------------------------------------------------------------------

    def is_authorized(self, seen: ReceivedRequest) -> bool:
        """Whether the token was sent as the API expects it."""
        raise NotImplementedError

    def refusal(self, status: int, message: str) -> Response:
        """An error in the host's own format."""
        return JSONResponse({"message": message}, status)

    async def org(self, _seen: ReceivedRequest, found: Mapping[str, str]) -> Response:
        """An organisation, by its name as the host's path has it."""
        if found["org"].lower() not in self.orgs:
            return self.refusal(404, "Not Found")
        return JSONResponse({"login": found["org"], "id": 2})

    async def permissions(self, _seen: ReceivedRequest, _found: Mapping[str, str]) -> Response:
        """What the token's user may do in an organisation."""
        return JSONResponse({"can_create_repository": self.may_create})

    # --- serving ------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        operation, found = self._operation(request)
        seen = ReceivedRequest(
            operation=operation,
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            headers=dict(request.headers),
            body=body,
        )
        self.requests.append(seen)
        fault = self._faults[operation].popleft() if self._faults[operation] else None
        response = Response()
        if fault is None or fault.after:
            response = await self._handle(seen, request, found)
        if fault and fault.lost:
            await _cut(receive, send)
        else:
            await (fault.response() if fault else response)(scope, receive, send)

    def _operation(self, request: Request) -> tuple[str, Mapping[str, str]]:
        path = request.scope["raw_path"].decode("ascii")
        for method, pattern, name in (*self.routes, *GIT):
            if request.method == method and (found := pattern.fullmatch(path)):
                return name, {key: unquote(value) for key, value in found.groupdict().items() if value}
        return "unknown", {}

    async def _handle(self, seen: ReceivedRequest, request: Request, found: Mapping[str, str]) -> Response:
        if seen.operation in {name for _, _, name in GIT}:
            return await self._git(seen, request, found)
        if not self.is_authorized(seen):
            return self.refusal(401, "Bad credentials")
        if seen.operation == "unknown":
            return self.refusal(404, "Not Found")
        handler: Callable[[ReceivedRequest, Mapping[str, str]], Awaitable[Response]] = getattr(
            self, seen.operation
        )
        return await handler(seen, found)

    async def _git(self, seen: ReceivedRequest, request: Request, found: Mapping[str, str]) -> Response:
        if seen.headers.get("authorization", "") not in (
            f"Bearer {self.token}",
            basic(self.git_user, self.token),
        ):
            headers = {"www-authenticate": 'Basic realm="Git"'}
            return Response("remote: Access denied.", 401, headers, media_type="text/plain")
        row = self.find(found["owner"], found["name"])
        if row is None:
            return Response("remote: Repository not found.", 404, media_type="text/plain")
        before = await self._refs(row)
        response = await self.git.answer(request, seen.body)
        if await self._refs(row) != before:
            self.effects["push"] += 1
            await self._pushed(row)
        return response

    async def _pushed(self, row: Row) -> None:
        if self.first_push_sets_default and await self.head(row.name, row.owner, row.branch) is None:
            refs = await self._refs(row)
            await self.set_default_branch(row, refs.split("refs/heads/")[1].split("\n")[0])

    async def set_default_branch(self, row: Row, branch: str) -> None:
        """Make a branch the default one."""
        row.branch = branch
        path = self.git.path(row.owner, row.name)
        await self.git.git(path, "symbolic-ref", "HEAD", f"refs/heads/{branch}")

    async def _refs(self, row: Row) -> str:
        path = self.git.path(row.owner, row.name)
        return await self.git.git(path, "for-each-ref") if path.exists() else ""


def basic(user: str, token: str) -> str:
    return "Basic " + b64encode(f"{user}:{token}".encode()).decode()


async def _cut(receive: Receive, send: Send) -> None:
    """Abort the connection. `send` is uvicorn's own method: nothing wraps it here."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def served(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """`serve` in a task of its own: pytest-asyncio enters and leaves a fixture in two different tasks, which
    a task group does not allow."""
    # Accepted sockets inherit it; without it each response waits 40 ms for the client's delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ready, stop = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with serve(app, sock):
            ready.set()
            await stop.wait()

    task = asyncio.create_task(run())
    await ready.wait()
    try:
        yield
    finally:
        stop.set()
        await task
