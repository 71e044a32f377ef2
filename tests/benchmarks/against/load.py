"""Requests in a closed loop on keep-alive connections, from a process of its own.

load(service, POST(...), connections=64, seconds=2)      # returns a Report
with flood(service, GET(...), connections=4): ...        # for as long as the block takes

Connections are asyncio protocols that look at no more of an answer than its status and its length, so that
the asking takes little of the processors.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.against.child import running, say
from tests.benchmarks.against.service import Service

NUMBER = "@@@@@@"
"""In a body: becomes the request's number, so that no two are the same."""
END = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Report:
    """`latencies`: seconds of each request, sorted."""

    done: int
    seconds: float
    latencies: list[float]

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return self.latencies[min(len(self.latencies) * percent // 100, len(self.latencies) - 1)] * 1000


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Ends after so many seconds or so many requests, or when standard input does."""

    port: int
    request: str
    connections: int
    seconds: float
    count: int


def GET(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"


def POST(path: str, **body: Any) -> str:
    text = json.dumps(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}"
    )


def load(
    service: Service, request: str, *, connections: int = 1, seconds: float = 120, count: int = 10**9
) -> Report:
    spec = Spec(port=service.port, request=request, connections=connections, seconds=seconds, count=count)
    with running("load", asdict(spec)) as child:
        child.hear()
        return Report(**child.hear())


@contextmanager
def flood(service: Service, request: str, *, connections: int) -> Iterator[None]:
    """From when each connection has had an answer."""
    spec = Spec(port=service.port, request=request, connections=connections, seconds=600, count=10**9)
    with running("load", asdict(spec)) as child:
        child.hear()
        yield
        child.stop()
        child.hear()


class Load:
    def __init__(self, spec: Spec) -> None:
        self.latencies: list[float] = []
        self.over = asyncio.Event()
        self.error = ""
        self._spec = spec
        self._head, _, self._body = spec.request.partition("\r\n\r\n")
        self._numbered = NUMBER in self._body
        self._plain = spec.request.encode()
        self._asked = self._silent = 0

    async def run(self) -> None:
        loop, port = asyncio.get_running_loop(), self._spec.port
        loop.run_in_executor(None, sys.stdin.read).add_done_callback(lambda _: self.over.set())
        self._silent = self._spec.connections
        begin = time.perf_counter()
        for _ in range(self._spec.connections):
            await loop.create_connection(lambda: Asking(self), "127.0.0.1", port)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), self._spec.seconds)
        seconds, done = time.perf_counter() - begin, len(self.latencies)
        report = Report(done=done, seconds=seconds, latencies=sorted(self.latencies))
        say({"error": self.error} if self.error else asdict(report))

    def next(self) -> bytes:
        """A request; empty when there were enough."""
        if self._asked == self._spec.count:
            return b""
        self._asked += 1
        if not self._numbered:
            return self._plain
        return f"{self._head}\r\n\r\n{self._body.replace(NUMBER, f'{self._asked:06}')}".encode()

    def answered(self, seconds: float, *, first: bool) -> None:
        self.latencies.append(seconds)
        self._silent -= first
        if first and not self._silent:
            say("all have had an answer")
        if len(self.latencies) == self._spec.count:
            self.over.set()

    def failed(self, error: str) -> None:
        self.error = self.error or error
        self.over.set()


class Asking(asyncio.Protocol):
    """One connection: the next request when the last one is answered."""

    def __init__(self, whole: Load) -> None:
        self._whole = whole
        self._first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._head, self._missing = b"", -1  # bytes of the body; -1: not known, -2: until END
        self._began = time.perf_counter()
        self._transport.write(self._whole.next())

    def data_received(self, data: bytes) -> None:
        if self._missing == -1:
            data = self._begin(self._head + data)
        if self._missing >= 0:
            self._missing -= len(data)
        elif self._missing == -2:
            self._head = (self._head + data)[-len(END) :]
        if self._missing == 0 or (self._missing == -2 and self._head == END):
            self._whole.answered(time.perf_counter() - self._began, first=self._first)
            self._first = False
            self._ask()

    def _begin(self, data: bytes) -> bytes:
        """What there is of the body, once the head is whole."""
        self._head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return b""
        if self._head[9:10] != b"2":
            self._whole.failed(data[:1000].decode(errors="replace"))
        _, _, length = self._head.lower().partition(b"\r\ncontent-length:")
        self._missing = int(length.split(b"\r\n")[0]) if length else -2
        self._head = b""
        return body

    def connection_lost(self, exc: Exception | None) -> None:
        self._whole.failed("a connection was closed by the service")


async def _main() -> None:
    await Load(Spec(**json.loads(sys.stdin.readline()))).run()


if __name__ == "__main__":
    asyncio.run(_main())
