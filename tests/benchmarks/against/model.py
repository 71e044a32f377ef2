"""A scripted OpenAI-compatible model server in a process of its own.

with scripted(Script(plan=[...], files={...}, rate=100)) as settings:   # for the service's environment

It knows no prompt's wording: what mentions none of its files asks for the plan, and anything else for the
file that it mentions last.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.against.child import running, say

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
LONG = "600"  # seconds for which a silent model is borne


@dataclass(frozen=True, kw_only=True)
class Script:
    """The texts of the plan and of each file as lists of what is said at once.

    rate     of these a second on each stream, each at its own time (0: all at once)
    silent   paths ("" is the plan) of what is begun and never said
    """

    plan: Sequence[str] = ()
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rate: float = 0
    silent: Sequence[str] = ()


SILENT = Script(silent=[""])


def plan_text(entries: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"summary": "A library.", "files": [{"purpose": "part of it", **e} for e in entries]})


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@contextmanager
def scripted(script: Script) -> Iterator[dict[str, str]]:
    """The settings by which a service has it as its only model."""
    with running("model", asdict(script)) as child:
        providers = {"scripted": {"base_url": f"http://127.0.0.1:{child.hear()}", "model": "m"}}
        yield {
            "PROVIDERS": json.dumps(providers),
            "FIRST_TOKEN_TIMEOUT": LONG,
            "IDLE_TIMEOUT": LONG,
            "TASK_TIMEOUT": LONG,
        }


async def _serve(script: Script) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request after the other, as long as the client likes."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                await _say(writer, script, _path(body, script))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _path(body: Mapping[str, Any], script: Script) -> str:
    """Of the file that is asked for; "" for the plan."""
    text = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
    places = {path: text.rfind(path) for path in script.files}
    latest = max(places, key=places.__getitem__, default="")
    return latest if latest and places[latest] >= 0 else ""


async def _say(writer: asyncio.StreamWriter, script: Script, path: str) -> None:
    writer.write(HEAD)
    if path in script.silent:
        await asyncio.Event().wait()
    start = time.monotonic()
    for number, text in enumerate(script.files[path] if path else script.plan, start=1):
        if script.rate:
            await asyncio.sleep(start + number / script.rate - time.monotonic())
        writer.write(_framed(_event({"content": text})))
        await writer.drain()
    writer.write(_framed(_event({}, "stop")))
    writer.write(_framed(b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"))
    writer.write(_framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _event(delta: Mapping[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    asyncio.run(_serve(Script(**json.loads(sys.stdin.readline()))))
