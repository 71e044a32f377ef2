"""Subscribers of event streams: raw bytes, or parsed by an independent library."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from anyio.abc import SocketStream
from httpx_sse import EventSource

from tests.servers.calls import client


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedEvent:
    id: int
    kind: str
    data: dict[str, Any]


class Subscriber:
    """One open stream. `heard`: the events received so far."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.heard: list[ReceivedEvent] = []
        self._messages = self._read()

    async def until(self, kind: str, **data: Any) -> ReceivedEvent:
        """The first event from here on with this kind and these fields."""
        async for found in self._messages:
            if found.kind == kind and data.items() <= found.data.items():
                return found
        raise AssertionError(f"the stream ended before {kind} {data}: {self.heard[-3:]}")

    async def rest(self) -> list[ReceivedEvent]:
        """All events, when the server has ended the stream."""
        async for _ in self._messages:
            continue
        return self.heard

    async def _read(self) -> AsyncIterator[ReceivedEvent]:
        async for event in EventSource(self.response).aiter_sse():
            if event.data:
                self.heard.append(
                    ReceivedEvent(id=int(event.id or 0), kind=event.event, data=json.loads(event.data))
                )
                yield self.heard[-1]


@asynccontextmanager
async def subscribed(url: str, task_id: str, after: int = 0, **params: str) -> AsyncIterator[Subscriber]:
    async with (
        client(url) as http,
        http.stream(
            "GET", f"/api/v1/status/{task_id}", headers={"Last-Event-ID": str(after)}, params=params
        ) as response,
    ):
        assert response.status_code == 200
        yield Subscriber(response)


async def events(url: str, task_id: str, after: int = 0, **params: str) -> list[ReceivedEvent]:
    """The whole stream, to its end."""
    async with subscribed(url, task_id, after, **params) as subscriber:
        return await subscriber.rest()


async def raw_stream(port: int, path: str, headers: str = "") -> SocketStream:
    """A connection that has sent its request, in HTTP/1.0: the body is not chunked, and ends with the
    connection."""
    stream = await anyio.connect_tcp("127.0.0.1", port)
    await stream.send(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n".encode())
    return stream


async def body_of(stream: SocketStream) -> bytes:
    """All bytes after the head, to the end of the connection."""
    received = b"".join([part async for part in stream])
    await stream.aclose()
    return received.partition(b"\r\n\r\n")[2]
