"""Replies of the Messages API, for the scripted model server.

async with model_server(message("hello")) as server:               # the same message every time
async with model_server(claude(plan_and_files(FILES))) as server:  # a script of completions, translated
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio

from gencode.llm.port import Usage
from tests.servers.model import USAGE, Body, Reply

Event = Mapping[str, Any]
_STOPS = {"stop": "end_turn", "length": "max_tokens"}


def message(
    content: str, stop: str | None = "end_turn", *, usage: Usage = USAGE, size: int = 20, thinking: str = ""
) -> Reply:
    """A streamed message in deltas of `size` characters; without its end if `stop` is None."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    thoughts = [delta(type="thinking_delta", thinking=thinking)] if thinking else []
    return events(start(usage), *thoughts, *map(text_delta, pieces), *(end(stop, usage) if stop else ()))


def events(*found: Event | bytes | anyio.Event) -> Reply:
    """Events as objects, or as the raw bytes to send."""
    return Reply(parts=[one if isinstance(one, bytes | anyio.Event) else sse(one) for one in found])


def sse(event: Event) -> bytes:
    return f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode()


def start(usage: Usage = USAGE) -> Event:
    counted = {
        "input_tokens": usage.prompt - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": 1,
    }
    begun = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": counted}
    return {"type": "message_start", "message": begun}


def delta(**fields: str) -> Event:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


def text_delta(text: str) -> Event:
    return delta(type="text_delta", text=text)


def end(stop: str, usage: Usage = USAGE) -> tuple[Event, Event, Event]:
    counted = {"output_tokens": usage.completion}
    return (
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": counted},
        {"type": "message_stop"},
    )


def claude(script: Callable[[Body], Reply]) -> Callable[[Body], Reply]:
    """A script of chat completions, which gets the request and gives the answer as such."""

    def translated(body: Body) -> Reply:
        system = [{"role": "system", "content": body["system"]}] if "system" in body else []
        reply = script({**body, "messages": [*system, *body["messages"]]})
        if reply.status != 200:
            return reply
        return Reply(parts=list(_translated(reply)))

    return translated


def _translated(reply: Reply) -> Iterator[bytes | anyio.Event]:
    yield sse(start())
    for part in reply.parts:
        if isinstance(part, anyio.Event):
            yield part
        elif part.startswith(b"data: {"):
            for choice in json.loads(part[6:])["choices"]:
                if content := choice["delta"].get("content"):
                    yield sse(text_delta(content))
                if choice["finish_reason"]:
                    yield from map(sse, end(_STOPS[choice["finish_reason"]]))
