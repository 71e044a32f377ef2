"""One client's connection: uvicorn's, with an end to its patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from gencode.http.connection_limiter import ConnectionLimiter, ConnectionLimits
from gencode.http.direct_writer import NAME, Continuation

Frame = Callable[[bytes], bytes]


def connection_class(entry: ConnectionLimits, seconds: float, at_shutdown: float) -> type[asyncio.Protocol]:
    """A protocol for uvicorn's `http` option: a door with `entry`, and behind it, a peer that has not taken
    what was sent to it for so many seconds is cut off, and its application hears that the client has left.
    `at_shutdown`: seconds from then on; less than uvicorn's own grace, which ends in cancelled requests and
    a trace in the log for each.

    A deadline on ASGI's `send` would free the application alone: the transport waits for ever to flush what
    is left, and keeps the socket and the memory.
    """

    class Connection(_Connection):
        _entry = entry
        _patience = seconds
        _grace = at_shutdown

    return Connection


class _Connection(ConnectionLimiter):
    """See `impatient`. Seconds: `_patience` with a peer, `_grace` from the shutdown on."""

    _patience: float
    _grace: float
    _deadline: asyncio.TimerHandle | None = None
    _outlet: _DirectWriter | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # paused means: the kernel's own buffer is full

    def handle_events(self) -> None:
        """A request that is whole gets an outlet; its application starts in the loop's next round."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            frame = _chunked if self.scope["http_version"] == "1.1" else bytes
            self._outlet = _DirectWriter(self.transport, self.flow, frame)
            extensions: dict[str, Any] = {NAME: self._outlet}
            self.scope["extensions"] = extensions

    def pause_writing(self) -> None:
        super().pause_writing()
        self._deadline = self.loop.call_later(self._patience, self.transport.abort)

    def resume_writing(self) -> None:
        self._relax()
        super().resume_writing()

    def shutdown(self) -> None:
        super().shutdown()
        self._patience = min(self._patience, self._grace)
        if self._deadline:
            self._relax()
            self._deadline = self.loop.call_later(self._patience, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)
        if self._outlet:
            self._outlet.depart()

    def _relax(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


class _DirectWriter:
    """See gencode.http.direct_writer. `frame`: what h11 does to a piece of a body, keeping no account of it."""

    __slots__ = ("_call", "_flow", "_frame", "_gone", "_transport", "rest")

    def __init__(self, transport: asyncio.Transport, flow: FlowControl, frame: Frame) -> None:
        self.rest: Continuation | None = None
        self._transport = transport
        self._flow = flow
        self._frame = frame
        self._call: Callable[[], None] | None = None
        self._gone = False

    @property
    def slow(self) -> bool:
        return self._flow.write_paused

    def write(self, chunk: bytes) -> bool:
        self._transport.write(self._frame(chunk))
        return not self._flow.write_paused

    def on_departure(self, call: Callable[[], None]) -> None:
        self._call = call
        if self._gone:
            call()

    def depart(self) -> None:
        self._gone = True
        if self._call:
            self._call()


@lru_cache(maxsize=4)
def _chunked(chunk: bytes) -> bytes:
    """RFC 9112, 7.1. Remembered, because one chunk goes to many, one after another."""
    return b"%x\r\n%b\r\n" % (len(chunk), chunk)
