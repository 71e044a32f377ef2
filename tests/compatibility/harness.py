"""Runs one task of the real service against a model server that behaves as a row of the table says.

From POST /api/v1/generate to the delivered repository; sockets are real, and only the waits between attempts
are recorded in place of being slept.

outcome = await run(stream(chunk({"content": TEXT}, "stop")))
outcome.delivers(TEXT, calls=1)
"""

from __future__ import annotations

import json
import ssl
import subprocess
import tarfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import pytest_asyncio

from gencode.bootstrap import dependency_factory, single_process
from gencode.codegen.project_checker import ProjectChecker
from gencode.resilience.call_slots import LocalSlots
from gencode.resilience.retry import Retry
from gencode.settings import NamedHost, NamedProvider
from tests.servers.githttp import git_environment
from tests.servers.loop_clock import LoopClock
from tests.servers.model import USAGE, Body, Call, Reply, call_of, http_error, model_server, text
from tests.servers.peer import Act, peer
from tests.servers.service import running_app, settings
from tests.servers.stream import ReceivedEvent, Subscriber

PATH = "schema.sql"
"""No grammar of the validation reads it: nothing but the model layer stands between an answer and a push."""
TEXT = "".join(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n" for n in range(10))
LINES = TEXT.splitlines(keepends=True)
KEY = "sk-compatibility-4f9c1d7e"
REQUEST = {"prompt": "say hello", "repo_name": "hello"}
_clock: ContextVar[LoopClock] = ContextVar("clock")


@dataclass(frozen=True, kw_only=True)
class Pause:
    """The server is silent for so long: the clock of the loop is moved ahead."""

    seconds: float

    async def wait(self) -> None:
        """What was sent before has been read when the loop has run dry."""
        for _ in range(30):
            await anyio.lowlevel.checkpoint()
        await _clock.get().advance(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Raw:
    """An answer as bytes on the connection, which is closed after the last part. A reply of the scripted
    server cannot be reset, and its HTTP is well-formed."""

    parts: Sequence[Any]


Event = Mapping[str, Any] | bytes | str | Pause
AnyReply = Reply | Raw
Answers = AnyReply | Sequence[AnyReply] | Callable[[Body], AnyReply]
"""The same answer to every call, answers in the order of calls, or an answer by request."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the task.

    files    delivered, by path; empty unless the repository exists
    calls    of the model, in order; each is paid for
    bodies   of these calls
    targets  the request lines of these calls, if any answer is raw
    waits    seconds between attempts
    """

    files: Mapping[str, bytes]
    status: str
    code: str
    message: str
    calls: Sequence[Call]
    bodies: Sequence[Body]
    targets: Sequence[str]
    events: Sequence[ReceivedEvent]
    waits: Sequence[float]

    def delivers(self, text: str = TEXT, *, calls: int = 1, path: str = PATH) -> None:
        """The file was delivered as the model wrote it, after so many calls for it."""
        assert self.status == "completed", f"{self.code}: {self.message}"
        assert self.files[path].decode() == text
        assert self.file_calls(path) == calls

    def fails(self, code: str | tuple[str, ...], *words: str, calls: int, path: str = PATH) -> None:
        """Nothing was delivered, for this reason or one of these; the message has the words; so many calls
        were made for the file."""
        assert (self.status, dict(self.files)) == ("failed", {})
        assert self.code in ((code,) if isinstance(code, str) else code), self.message
        assert [word for word in words if word not in self.message] == [], self.message
        assert self.file_calls(path) == calls

    def file_calls(self, path: str = PATH) -> int:
        """Of the model for this file; "" is the plan."""
        return self.calls.count(("file", path) if path else ("plan", ""))

    @property
    def tokens(self) -> Mapping[str, Any]:
        """The account after the last `usage` event."""
        totals = [event.data["total"] for event in self.events if event.kind == "usage"]
        return totals[-1] if totals else {}

    @property
    def waited(self) -> list[float]:
        """Seconds that the task announced before each further attempt."""
        return [event.data["wait_seconds"] for event in self.events if event.kind == "retry"]


@dataclass(frozen=True, kw_only=True)
class Harness:
    """Runs tasks in a folder of its own, each with a service and a model server of its own."""

    folder: Path
    clock: LoopClock
    waits: list[float] = field(default_factory=list)

    async def __call__(
        self,
        file: Answers,
        *,
        plan: Answers | None = None,
        path: str = PATH,
        base: str = "",
        provider: Mapping[str, Any] | None = None,
        request: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Outcome:
        """Submit a task whose plan has one file.

        file, plan  the model's answers to calls for the file, and for the plan (default: a well-formed one)
        path        of the planned file
        base        follows the address of the model server in base_url
        provider    further fields of the configured provider
        request     further fields of the submission
        options     further settings
        """
        _clock.set(self.clock)
        script = _Script(file=file, plan=plan or text(json.dumps(plan_of(path)), usage=USAGE))
        (hosted := self.folder / "hosted").mkdir()
        async with script.served() as address:
            configured = NamedProvider.model_validate(
                {"base_url": address + base, "model": "m", "api_key": KEY, **(provider or {})}
            )
            hosts = {"folder": NamedHost(kind="directory", path=hosted)}
            more: dict[str, Any] = {"providers": {"scripted": configured}, "hosts": hosts, **options}
            async with running_app(settings(self.folder, **more)) as app:
                heard, view = await _task(app.url, {**REQUEST, **(request or {})})
        return Outcome(
            files=await _delivered(hosted / "hello.git"),
            status=view["status"],
            code=(view["error"] or {}).get("code", ""),
            message=(view["error"] or {}).get("message", ""),
            calls=[call_of(body) for body in script.bodies],
            bodies=script.bodies,
            targets=script.targets,
            events=heard,
            waits=self.waits,
        )


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the tests of a module share: starting the processes that check files takes half of its time."""

    clock: LoopClock
    checker: ProjectChecker


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Shared]:
    async with ProjectChecker() as checker:
        yield Shared(clock=LoopClock(), checker=checker)


@pytest.fixture(name="run")
def harness(shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """Retries and pauses of the account are as they are, but move a clock ahead in place of sleeping."""
    made, now = Harness(folder=tmp_path, clock=shared.clock), 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        made.waits.append(seconds)

    def slots(name: str, count: int, spacing: float = 0.0) -> LocalSlots:
        """Writes to a Git host, which are spaced, keep their clock."""
        return LocalSlots(count, spacing) if spacing else LocalSlots(count, clock=lambda: now, sleep=sleep)

    monkeypatch.setattr(dependency_factory, "ProjectChecker", lambda: nullcontext(shared.checker))
    monkeypatch.setattr(dependency_factory, "Retry", partial(Retry, sleep=sleep))
    monkeypatch.setattr(single_process, "local_slots", slots)
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **options: _tls())
    return made


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates takes half of the time of a row; no row uses TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plan_of(*paths: str) -> dict[str, Any]:
    return {"summary": "A project.", "files": [{"path": path, "purpose": "scripted"} for path in paths]}


# --- answers ----------------------------------------------------------------------------------------


def data(*events: Event, headers: str = "") -> Raw:
    """A stream of raw bytes that ends with the connection. Objects become events; str is encoded."""
    kind = "" if "content-type" in headers.lower() else "content-type: text/event-stream\r\n"
    head = f"HTTP/1.1 200 OK\r\n{kind}{headers}connection: close\r\n\r\n".encode()
    return Raw(parts=[head, *(encoded(event) for event in events)])


def cut(*events: Event) -> Raw:
    """The same, reset after the last event."""
    return Raw(parts=[*data(*events).parts, Act.RESET])


def encoded(event: Event) -> Any:
    if isinstance(event, bytes | Pause):
        return event
    if isinstance(event, str):
        return event.encode()
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def deltas(content: str = TEXT, finish: str | None = None) -> list[dict[str, Any]]:
    """An event for each line; `finish`: the finish_reason of each."""
    return [delta(line, finish) for line in content.splitlines(keepends=True)]


def delta(content: Any = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One event. `fields`: of the delta."""
    said = fields if content is None else {"content": content, **fields}
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


STOP = delta(finish="stop")
DONE = b"data: [DONE]\n\n"


# --- the model server -------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Script:
    """Answers calls for the plan and for files; keeps the body of each."""

    file: Answers
    plan: Answers
    bodies: list[Body] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def __call__(self, body: Body) -> AnyReply:
        self.bodies.append(body)
        kind, _ = call_of(body)
        answers = self.plan if kind == "plan" else self.file
        if isinstance(answers, Reply | Raw):
            return answers
        if callable(answers):
            return answers(body)
        count = sum(1 for earlier in self.bodies if call_of(earlier)[0] == kind)
        return answers[count - 1] if count <= len(answers) else http_error(418, "the script is over")

    def served(self) -> AbstractAsyncContextManager[str]:
        """The address of a server for this script: over raw TCP if any answer is raw."""
        answers = [*_listed(self.file), *_listed(self.plan)]
        return self._raw() if any(isinstance(one, Raw) for one in answers) else self._scripted()

    @asynccontextmanager
    async def _scripted(self) -> AsyncIterator[str]:
        def script(body: Body) -> Reply:
            reply = self(body)
            assert isinstance(reply, Reply)
            return reply

        async with model_server(script) as served:
            yield served.base_url

    @asynccontextmanager
    async def _raw(self) -> AsyncIterator[str]:
        def play(_: int) -> Iterable[bytes | Act | anyio.Event]:
            head, _, body = served.requests[-1].partition(b"\r\n\r\n")
            self.targets.append(head.split(b" ", 2)[1].decode())
            reply = self(json.loads(body))
            return reply.parts if isinstance(reply, Raw) else _rendered(reply)

        async with peer(play) as served:
            yield served.base_url


def _listed(answers: Answers) -> Sequence[object]:
    if isinstance(answers, Reply | Raw):
        return [answers]
    return [] if callable(answers) else answers


def _rendered(reply: Reply) -> Iterable[bytes | anyio.Event]:
    headers = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    yield f"HTTP/1.1 {reply.status} Scripted\r\n{headers}connection: close\r\n\r\n".encode()
    yield from reply.parts


async def _task(url: str, submitted: Mapping[str, Any]) -> tuple[list[ReceivedEvent], dict[str, Any]]:
    """All events of a new task, and how it is shown in the end. Without timeouts: tests move the clock."""
    async with httpx.AsyncClient(base_url=url, timeout=None, trust_env=False, verify=False) as http:
        answer = await http.post("/api/v1/generate", json=submitted)
        assert answer.status_code == 202, answer.text
        task_id = answer.json()["task_id"]
        async with http.stream("GET", f"/api/v1/status/{task_id}", headers={"Last-Event-ID": "0"}) as stream:
            heard = await Subscriber(stream).rest()
        return heard, (await http.get(f"/api/v1/task/{task_id}")).json()


async def _delivered(repository: Path) -> dict[str, bytes]:
    """Every file in the tree of the head, read with plain Git; nothing if there is no repository."""
    if not repository.exists():
        return {}
    command = ["git", "archive", "--format=tar", "main"]
    done = await anyio.run_process(
        command, cwd=repository, env=git_environment(repository), stderr=subprocess.PIPE
    )
    with tarfile.open(fileobj=BytesIO(done.stdout)) as packed:
        members = [member for member in packed.getmembers() if member.isfile()]
        return {member.name: (packed.extractfile(member) or BytesIO()).read() for member in members}
