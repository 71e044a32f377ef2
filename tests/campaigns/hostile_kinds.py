"""What the hostile campaign sends."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import anyio
import httpx

from tests.servers.githost import Fault
from tests.servers.github import ScriptedGitHub
from tests.servers.model import Body, Reply, call_of, chunk, json_answer, sse, stream, text

_MEGABYTE = 2**20
_FILE = 2 * _MEGABYTE - 100
"""Bytes; a larger file is refused."""
_EVENT = 16 * 1024
"""Characters of an answer in one event."""
_HOSTILE = "A hostile project"
_STREAMS = 200
_CLIENTS = 10
_BODY = 10 * _MEGABYTE
Files = Mapping[str, Callable[[], str]]
Request = tuple[str, str, Mapping[str, str], Callable[[], bytes]]


def _repeated(token: str, size: int = _FILE) -> Callable[[], str]:
    return lambda: token * (size // len(token))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """files    what the model writes
    plan     what it answers when it is asked for the plan, in place of one of these files
    reply    makes the reply to every call of the task in place of both
    body     what clients send in place of a task
    requests  what they send in place of it: method, path, headers and body of each
    host_body  with what, packed by gzip, a Git host answers each operation once
    has_log  a task with a large log is stored, whose streams clients open and never read
    """

    name: str
    files: Files = field(default_factory=dict)
    plan: Callable[[], str] | None = None
    reply: Callable[[], Reply] | None = None
    body: Callable[[], bytes] | None = None
    requests: tuple[Request, ...] = ()
    host_body: Callable[[], bytes] | None = None
    has_log: bool = False


@dataclass(kw_only=True)
class Attack:
    """begun  the service has received something of it
    sent   bytes of it so far
    """

    kind: Kind
    large_log: str
    begun: anyio.Event = field(default_factory=anyio.Event)
    sent: int = 0

    def use_host(self, github: ScriptedGitHub) -> None:
        """Has it answer the next request of each operation with the body."""
        assert self.kind.host_body
        body = self.kind.host_body()
        for operation in _OPERATIONS:
            headers = {"content-encoding": "gzip", "content-type": "application/json"}
            github.fail(operation, Fault(status=200, headers=headers, body=body))
            self.sent += len(body)

    async def run(self, http: httpx.AsyncClient, port: int, task: Callable[..., Awaitable[str]]) -> str:
        """How it ended."""
        if self.kind.has_log:
            return await self._never_read(port)
        if self.kind.body:
            return await self._large_bodies(http, self.kind.body())
        if self.kind.requests:
            return await self._requests(http)
        outcome = await task(http, _HOSTILE)
        self.begun.set()  # if it is the host that attacks: the other client would get some of its answers
        return outcome

    def reply(self, body: Body) -> Reply:
        """To a call of the hostile task."""
        if not self.kind.host_body:
            self.begun.set()
        kind, path = call_of(body)
        if self.kind.reply:
            reply = self.kind.reply()
        elif kind == "plan":
            plan = self.kind.plan or (lambda: _plan(self.kind.files))
            reply = text(plan(), size=_EVENT)
        else:
            reply = text(self.kind.files[path](), size=_EVENT)
        parts = list(reply.parts)
        self.sent += sum(len(part) for part in parts if isinstance(part, bytes))
        return Reply(status=reply.status, headers=reply.headers, parts=parts)

    async def _large_bodies(self, http: httpx.AsyncClient, body: bytes) -> str:
        statuses: Counter[int] = Counter()

        async def send() -> None:
            self.sent += len(body)
            headers = {"content-type": "application/json"}
            try:
                answer = await http.post("/api/v1/generate", content=body, headers=headers)
            except httpx.TransportError:
                statuses[0] += 1  # the service refused it before all was sent
            else:
                statuses[answer.status_code] += 1

        return await self._by_each_client(send, statuses)

    async def _requests(self, http: httpx.AsyncClient) -> str:
        """Each of them by each client."""
        statuses: Counter[int] = Counter()

        async def send() -> None:
            for method, path, headers, body in self.kind.requests:
                content = body()
                self.sent += len(content) + sum(len(value) for value in headers.values()) + len(path)
                try:
                    answer = await http.request(method, path, headers=headers, content=content)
                except httpx.TransportError:
                    statuses[0] += 1  # the service refused it before all was sent
                else:
                    statuses[answer.status_code] += 1

        return await self._by_each_client(send, statuses)

    async def _by_each_client(
        self, send: Callable[[], Coroutine[Any, Any, None]], statuses: Counter[int]
    ) -> str:
        async with anyio.create_task_group() as clients:
            for _ in range(_CLIENTS):
                clients.start_soon(send)
            self.begun.set()
        return ", ".join(f"{count} x {status or 'cut'}" for status, count in sorted(statuses.items()))

    async def _never_read(self, port: int) -> str:
        request = f"GET /api/v1/status/{self.large_log} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
        async with AsyncExitStack() as stack:
            for _ in range(_STREAMS):
                stream = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port))
                await stream.send(request)
                self.sent += len(request)
                await stream.receive(16)
            self.begun.set()
            await anyio.sleep(_UNREAD_SECONDS)
        return f"{_STREAMS} streams open"


_UNREAD_SECONDS = 5.0
_OPERATIONS = ("user", "repo", "create", "info_refs")


def script(attack: Attack, body: Body) -> Reply:
    """The model's reply: hostile for the hostile task, small for others."""
    if _HOSTILE in json.dumps(body["messages"]):
        return attack.reply(body)
    kind, _ = call_of(body)
    return text(_plan({"README.md": str}) if kind == "plan" else "# A project\n\nIt is small.\n")


def _plan(files: Mapping[str, Any]) -> str:
    return json.dumps({"summary": "a project", "files": [{"path": path, "lines": 10} for path in files]})


def _byte_by_byte() -> Reply:
    plan = _plan({"README.md": str})
    body = b"".join(sse(chunk({"content": character})) for character in plan) + sse(chunk({}, "stop"))
    whole = body + b"data: [DONE]\n\n"
    return Reply(parts=[whole[at : at + 1] for at in range(len(whole))])


@cache
def _bomb() -> bytes:
    """Packed once: it takes seconds, in the process that also measures."""
    head = b'data: {"choices": [{"index": 0, "delta": {"content": "'
    return gzip.compress(head + b" " * (512 * _MEGABYTE), 9)


def _compressed() -> Reply:
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    return Reply(headers=headers, parts=[_bomb()])


def _many_values() -> Reply:
    return stream(b'data: {"choices": [' + b"{}," * _MEGABYTE + b"{}]}\n\n")


_SMALL_BODY = 200 * 1024
_HEADER = 7 * 1024
"""Characters of a header: a head that is larger is refused before anything reads it."""
_HEADERS: tuple[Request, ...] = tuple(
    ("GET", "/api/v1/tasks", {name: unit * (_HEADER // len(unit))}, bytes)
    for name, unit in (
        ("last-event-id", "9"),
        ("last-event-id", "-"),
        ("accept-language", "zh;q=0.1,"),
        ("accept-language", "a-"),
        ("accept", "text/html;q=0.1,"),
        ("accept-encoding", "gzip;q=0.1,"),
        ("range", "bytes=0-1,"),
        ("if-none-match", '"a", '),
        ("cookie", "a=b;"),
        ("cookie", '"\\'),
        ("authorization", "Bearer "),
        ("x-forwarded-for", "1.1.1.1, "),
        ("traceparent", "00-"),
        ("content-type", "multipart/form-data; boundary="),
    )
)
_PATHS: tuple[Request, ...] = tuple(
    ("GET", f"{start}{unit * (_HEADER // len(unit))}", {}, bytes)
    for start in ("/api/v1/tasks?", "/api/v1/tasks?status=", "/api/v1/status/", "/git/", "/")
    for unit in ("a&", "%25", "a=b&", "..%2f", "a/", ";a")
)
_BODIES: tuple[Request, ...] = tuple(
    ("POST", path, {"content-type": kind}, partial(bytes.__mul__, unit, _SMALL_BODY // len(unit)))
    for path in ("/api/v1/generate", "/api/v1/estimate", "/mcp", "/git/a.git/git-receive-pack")
    for kind, unit in (
        ("application/json", b'{"prompt":'),
        ("application/json", b'"\\ud800'),
        ("application/json", b"9"),
        ("application/json", b"{},"),
        ("multipart/form-data; boundary=a", b"--a\r\n"),
        ("application/x-www-form-urlencoded", b"a=b&"),
        ("application/x-git-receive-pack-request", b"0004"),
    )
)
KINDS = (
    Kind(name="token-like text", files={"a.py": _repeated('"eyJ' + "-eyJ" * 490 + ".eyJ" * 20 + '"\n')}),
    Kind(name="TOML keys", files={"a.toml": _repeated("a.", _MEGABYTE)}),
    Kind(name="long number", files={"a.toml": lambda: "a = " + "9" * 5000, "b.py": lambda: "9" * 500_000}),
    Kind(name="deep nesting", files={"a.json": _repeated("[", _MEGABYTE), "b.py": _repeated("(", _MEGABYTE)}),
    Kind(name="fences", files={"a.py": _repeated("~~~\n"), "a.md": _repeated("```\n")}),
    Kind(
        name="braces and quotes",
        files={"a.js": _repeated("{"), "b.py": _repeated('"'), "c.go": _repeated("`")},
    ),
    Kind(name="blank lines", files={"a.py": _repeated("\n"), "b.js": _repeated(" \n")}),
    Kind(name="think tags", reply=lambda: text("<think>" * (_FILE // 7), size=_EVENT)),
    Kind(name="plan of 16 MB", plan=_repeated('{"files": [{"path": "a.py"', 16 * _MEGABYTE)),
    Kind(name="plan of blanks", plan=lambda: '{"files": [' + " " * (4 * _MEGABYTE)),
    Kind(name="plan of small values", plan=lambda: '{"files": [' + "{a:b,c:d}," * 99_000),
    Kind(name="many long files", files={f"{n}.py": _repeated("x = 1; ") for n in range(8)}),
    Kind(name="one byte a chunk", reply=_byte_by_byte),
    Kind(name="gzip bomb of a model", reply=_compressed),
    Kind(
        name="gzip bomb of a host",
        files={"README.md": lambda: "# A project\n\nIt is small.\n"},
        host_body=lambda: gzip.compress(b" " * (512 * _MEGABYTE), 9),
    ),
    Kind(name="document of a model", reply=lambda: json_answer("[" * (8 * _MEGABYTE))),
    Kind(name="many values of a model", reply=_many_values),
    Kind(name="JSON bodies", body=lambda: b'{"prompt": ' + b"[" * _BODY),
    Kind(name="heads of requests", requests=_HEADERS + _PATHS),
    Kind(name="bodies of every kind", requests=_BODIES),
    Kind(
        name="SQL",
        files={
            f"{n}.sql": _repeated(unit)
            for n, unit in enumerate(
                ("'", "{{a ", "a; a; a; a;\n", "-- x y z w\n", "** abcde **\n", "$$ ", "[a ", "(")
            )
        },
    ),
    Kind(name="streams never read", has_log=True),
)
