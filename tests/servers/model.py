"""A scripted OpenAI-compatible model server on real uvicorn, for every test that needs a model.

async with model_server(text("hello")) as server:                  # the same reply every time
async with model_server([http_error(500), text("hello")]) as ...   # replies in sequence
async with model_server(lambda body: text(body["model"])) as ...   # a reply per request
async with model_server(plan_and_files({"a.py": "x = 1\\n"})) as ...  # gencode's own prompts
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
from starlette.types import Receive, Scope, Send

from gencode.codegen.prompts import PLAN_INSTRUCTIONS
from gencode.embedded.server import address, listen, serve
from gencode.llm.port import Usage

Body = dict[str, Any]
Call = tuple[str, str]
"""The purpose of a request: ("plan", ""), ("file", path) or ("chat", "")."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP response. Each bytes object of `parts` is sent separately; an Event is awaited in between.
    A generator of parts needs a script that makes a new Reply for each request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    parts: Iterable[bytes | anyio.Event] = ()


USAGE = Usage(prompt=100, completion=50, cached=20)

Script = Reply | Sequence[Reply] | Callable[[Body], Reply]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One received request."""

    path: str
    headers: Mapping[str, str]
    body: Body
    call: Call


# --- replies ----------------------------------------------------------------------------------------


def text(
    content: str,
    finish: str | None = "stop",
    *,
    usage: Usage | None = None,
    size: int = 20,
    gate: anyio.Event | None = None,
    done: bool = True,
) -> Reply:
    """A streamed answer in events of `size` characters. `gate`: set by the test to start it."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    events = [chunk({"content": piece}) for piece in pieces] + [chunk({}, finish)]
    if usage:
        events.append({"choices": [], "usage": _usage(usage)})
    return stream(*([gate] if gate else []), *events, done=done)


def stream(*events: Mapping[str, Any] | bytes | anyio.Event, done: bool = True) -> Reply:
    """Events as objects, or as the raw bytes to send."""
    parts = [event if isinstance(event, bytes | anyio.Event) else sse(event) for event in events]
    return Reply(parts=[*parts, b"data: [DONE]\n\n"] if done else parts)


def http_error(
    status: int, error: Mapping[str, Any] | str = "", headers: Mapping[str, str] | None = None
) -> Reply:
    """`error`: the error object, or the raw text of the page."""
    page = error if isinstance(error, str) else json.dumps({"error": error})
    kind = "text/html" if isinstance(error, str) else "application/json"
    return Reply(status=status, headers={"content-type": kind, **(headers or {})}, parts=[page.encode()])


def json_answer(content: str, finish: str = "stop", *, before: Sequence[bytes] = ()) -> Reply:
    """One plain JSON body, as if the request did not ask for a stream."""
    message = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    whole = json.dumps({"choices": [message], "usage": _usage(Usage(prompt=3, completion=2))}).encode()
    return Reply(headers={"content-type": "application/json"}, parts=[*before, whole])


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def sse(event: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


# --- gencode's own prompts --------------------------------------------------------------------------


def plan_and_files(
    files: Mapping[str, str],
    *,
    cut_at: int | None = None,
    echo: int = 0,
    gates: Mapping[str, anyio.Event] | None = None,
    usage: Usage = USAGE,
    plan: Mapping[str, Any] | None = None,
    replace: Callable[[Body], Reply | None] = lambda body: None,
) -> Callable[[Body], Reply]:
    """Answers the plan prompt with a plan of `files`, and the prompt of each file with its content.

    cut_at   finish "length" after so many characters; the next request with a prefix gets the following ones
    echo     a continuation first repeats so many characters of the prefix
    gates    by path ("" for the plan): an event to await before the answer
    plan     the plan to answer in place of one made from `files`
    replace  may return another reply for any request (None: the usual one)
    """

    def script(body: Body) -> Reply:
        kind, path = call_of(body)
        whole = json.dumps(plan or _plan(files)) if kind == "plan" else files[path]
        prefix = prefix_of(body)
        if not whole.startswith(prefix):
            return http_error(418, f"the prefix is not what was answered: {prefix[-200:]!r}")
        cut = cut_at if kind == "file" and cut_at and len(whole) - len(prefix) > cut_at else None
        rest = whole[len(prefix) :][:cut]
        again = prefix[max(0, len(prefix) - echo) :] if echo else ""
        gate = (gates or {}).get(path)
        return text(again + rest, "length" if cut else "stop", usage=usage, gate=gate, size=200)

    return lambda body: replace(body) or script(body)


def call_of(body: Body) -> Call:
    """The purpose of a request of the generate pipeline."""
    system, user = (
        [m["content"] for m in body["messages"] if m["role"] == role][:1] for role in ("system", "user")
    )
    if system == [PLAN_INSTRUCTIONS]:
        return "plan", ""
    path = re.search(r"^Write this file now: (.+)$", user[0] if user else "", re.MULTILINE)
    return ("file", path[1]) if path else ("chat", "")


def prefix_of(body: Body) -> str:
    """The beginning of the answer that the request contains, in any of its forms."""
    return "".join(m["content"] for m in body["messages"] if m["role"] == "assistant")


def _plan(files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "summary": "A scripted project.",
        "files": [{"path": path, "purpose": "scripted"} for path in files],
    }


# --- the server -------------------------------------------------------------------------------------


class ModelServer:
    """Records the `requests` in order of arrival, and counts calls by purpose.

    `completed` counts replies with status 200 that were sent to the end of a connected client.
    """

    def __init__(self, base_url: str, script: Script) -> None:
        self.base_url = base_url
        self._open: set[anyio.CancelScope] = set()
        self.reset(script)

    def reset(self, script: Script) -> None:
        """As if it had never been asked, for the next test."""
        self.script = script
        self.requests: list[Seen] = []
        self.started: Counter[Call] = Counter()
        self.completed: Counter[Call] = Counter()
        self.dropped: Counter[Call] = Counter()
        self._arrivals: defaultdict[Call, anyio.Event] = defaultdict(anyio.Event)
        self._drops: defaultdict[Call, anyio.Event] = defaultdict(anyio.Event)

    async def arrival(self, kind: str, path: str = "") -> None:
        """Wait until such a request has arrived."""
        await self._arrivals[kind, path].wait()

    async def drop(self, kind: str, path: str = "") -> None:
        """Wait until a client has disconnected during such a request."""
        await self._drops[kind, path].wait()

    def hang_up(self) -> None:
        for scope in self._open:
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = json.loads(await _read(receive))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen = Seen(path=scope["path"], headers=headers, body=body, call=call_of(body))
        self.requests.append(seen)
        self.started[seen.call] += 1
        self._arrivals[seen.call].set()
        await self._play(self._reply(body), seen.call, receive, send)

    def _reply(self, body: Body) -> Reply:
        if isinstance(self.script, Reply):
            return self.script
        if callable(self.script):
            return self.script(body)
        count = len(self.requests)
        return self.script[count - 1] if count <= len(self.script) else http_error(418, "the script is over")

    async def _play(self, reply: Reply, call: Call, receive: Receive, send: Send) -> None:
        whole = False
        async with anyio.create_task_group() as tg:
            self._open.add(tg.cancel_scope)
            tg.start_soon(self._watch, call, receive, tg.cancel_scope)
            await _send(reply, send)
            await anyio.lowlevel.checkpoint()  # a disconnect is noticed here
            whole = True
            self.completed[call] += reply.status == 200
            tg.cancel_scope.cancel()
        self._open.discard(tg.cancel_scope)
        if whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, call: Call, receive: Receive, scope: anyio.CancelScope) -> None:
        """uvicorn's send does not report a disconnect: only `receive` does."""
        while (await receive())["type"] != "http.disconnect":
            continue
        self.dropped[call] += 1
        self._drops[call].set()
        scope.cancel()


@asynccontextmanager
async def model_server(script: Script) -> AsyncIterator[ModelServer]:
    """Serve `script` on a free port, in this event loop; any path counts as chat completions."""
    sock = listen()
    server = ModelServer(address(sock), script)
    async with serve(server, sock):
        try:
            yield server
        finally:
            server.hang_up()


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(reply: Reply, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for part in reply.parts:
        if isinstance(part, bytes):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await anyio.lowlevel.checkpoint()  # sending to a disconnected client never blocks
        else:
            await part.wait()
