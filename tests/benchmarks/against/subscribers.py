"""Many streams of one task's events, read in a process of their own.

with subscribing(service, task_id, 500) as child:     # from when each has the event "approval"
    child.hear()                                      # when all streams have ended: {"events", "least"}
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.against.child import Child, running, say
from tests.benchmarks.against.service import Service

MARK = b"event: "
BEFORE = b"event: approval"
END = b"\r\n0\r\n\r\n"


@contextmanager
def subscribing(service: Service, task_id: str, count: int) -> Iterator[Child]:
    """Of a task that waits for approval; events are counted after that one, on all streams."""
    with running("subscribers", [service.port, task_id, count]) as child:
        child.hear()
        yield child


class Stream(asyncio.Protocol):
    """`waiting`: set when it has the event to wait for. `ended`: set when the stream has. `events`: since."""

    def __init__(self, path: str) -> None:
        loop = asyncio.get_running_loop()
        self.waiting, self.ended = loop.create_future(), loop.create_future()
        self.events = 0
        self._path = path
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        if self.waiting.done():
            self.events += data.count(MARK)
            self._tail = data[1 - len(MARK) :]
            if data.endswith(END) and not self.ended.done():
                self.ended.set_result(None)
        elif BEFORE in data and data.endswith(b"\n\n\r\n"):
            self._tail = b""
            self.waiting.set_result(None)
        else:
            self._tail = data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def _main(port: int, task_id: str, count: int) -> None:
    loop, path = asyncio.get_running_loop(), f"/api/v1/status/{task_id}?include=delta"
    streams = []
    for _ in range(count):
        streams.append((await loop.create_connection(lambda: Stream(path), "127.0.0.1", port))[1])
    async with asyncio.timeout(60):
        await asyncio.gather(*(stream.waiting for stream in streams))
    say("all are waiting")
    await asyncio.gather(*(stream.ended for stream in streams))
    events = [stream.events for stream in streams]
    say({"events": sum(events), "least": min(events), "most": max(events)})


if __name__ == "__main__":
    asyncio.run(_main(*json.loads(sys.stdin.readline())))
