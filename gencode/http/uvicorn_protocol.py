"""The server's connection to one client: uvicorn's protocol with direct writes and a deadline for slow
clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.flow_control import FlowControl

from gencode.http.connection_limits import ConnectionLimiter, ConnectionLimits
from gencode.http.direct_write_extension import EXTENSION, Continuation
from gencode.http.write_deadline import WriteDeadline, unsent_bytes

Frame = Callable[[bytes], bytes]


def connection_class(
    limits: ConnectionLimits, write_timeout: float, write_timeout_at_shutdown: float
) -> type[asyncio.Protocol]:
    """A protocol for uvicorn's `http` option.

    write_timeout              seconds in which a client that has bytes to receive must take some; then the
                               connection is aborted, and the application sees a disconnect
    write_timeout_at_shutdown  seconds from the shutdown on in which it must take all; less than uvicorn's own
                               grace period, which ends in cancelled requests and a trace in the log for each

    A deadline on ASGI's `send` would free the application alone: the transport waits forever to flush the
    rest, and keeps the socket and the memory.
    """

    class Connection(_Connection):
        _limits = limits
        _idle: ClassVar[dict[ConnectionLimiter, None]] = {}
        _write_timeout = write_timeout
        _write_timeout_at_shutdown = write_timeout_at_shutdown

    return Connection


class _Connection(ConnectionLimiter):
    """See `connection_class`."""

    _write_timeout: float
    _write_timeout_at_shutdown: float
    _write_deadline: WriteDeadline | None = None
    _writer: _DirectWriter | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # paused means: the kernel's own buffer is full

    def handle_events(self) -> None:
        """Gives each new request its writers; its application starts in the next iteration of the loop."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            frame = _chunked if self.scope["http_version"] == "1.1" else bytes
            transport = _JoinedWrites(self.loop, self.transport)
            self.cycle.transport = cast("asyncio.Transport", transport)
            self._writer = _DirectWriter(transport, self.flow, frame)
            extensions: dict[str, Any] = {EXTENSION: self._writer}
            self.scope["extensions"] = extensions

    def pause_writing(self) -> None:
        super().pause_writing()
        unsent = partial(unsent_bytes, self.transport)
        self._write_deadline = WriteDeadline(self.loop, self._write_timeout, unsent, self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_write_deadline()
        super().resume_writing()

    def shutdown(self) -> None:
        super().shutdown()
        self._write_timeout = min(self._write_timeout, self._write_timeout_at_shutdown)
        if self._write_deadline:
            self._write_deadline.end_within(self._write_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_write_deadline()
        super().connection_lost(exc)
        if self._writer:
            self._writer.disconnect()

    def _cancel_write_deadline(self) -> None:
        if self._write_deadline:
            self._write_deadline.cancel()
            self._write_deadline = None


class _JoinedWrites:
    """The transport of one response: its first write, the head, leaves together with the second.

    uvicorn writes the head and the body separately: two system calls, and the client wakes up twice. A head
    that no body follows in the same iteration of the loop, as before the first event of a stream, leaves
    after it.

    write   an attribute: afterwards it is the transport's own method, without a call in between
    """

    __slots__ = ("_head", "_loop", "_transport", "write")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._head = b""
        self.write: Callable[[bytes], None] = self._hold

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _hold(self, head: bytes) -> None:
        self._head = head
        self.write = self._join
        self._loop.call_soon(self._flush)

    def _join(self, data: bytes) -> None:
        self._head += data
        self._flush()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self.write = self._transport.write
            self._transport.write(head)


class _DirectWriter:
    """A DirectWriter (gencode.http.direct_write_extension). `frame`: frames a chunk of a body like h11,
    without h11's bookkeeping."""

    __slots__ = ("_flow", "_frame", "_is_disconnected", "_on_disconnect", "_transport", "continuation")

    def __init__(self, transport: _JoinedWrites, flow: FlowControl, frame: Frame) -> None:
        self.continuation: Continuation | None = None
        self._transport = transport
        self._flow = flow
        self._frame = frame
        self._on_disconnect: Callable[[], None] | None = None
        self._is_disconnected = False

    @property
    def is_blocked(self) -> bool:
        return self._flow.write_paused

    def write(self, chunk: bytes) -> bool:
        self._transport.write(self._frame(chunk))
        return not self._flow.write_paused

    def on_disconnect(self, call: Callable[[], None]) -> None:
        self._on_disconnect = call
        if self._is_disconnected:
            call()

    def disconnect(self) -> None:
        self._is_disconnected = True
        if self._on_disconnect:
            self._on_disconnect()


@lru_cache(maxsize=4)
def _chunked(chunk: bytes) -> bytes:
    """Frames a chunk (RFC 9112, 7.1). Cached, because one chunk is written to many clients in succession."""
    return b"%x\r\n%b\r\n" % (len(chunk), chunk)
