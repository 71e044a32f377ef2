"""Limits the number of open server connections, and the time in which a request must arrive."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gencode.domain.errors import Malformed, Overloaded
from gencode.http.problems import accept_language, problem_response

MAX_REFUSED = 16
"""Connections beyond the limit that are answered with 503; further ones are aborted at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """The limits. head, body: seconds in which each part of a request must arrive; connections: the most open
    ones."""

    head: float
    body: float
    connections: int


class ConnectionLimiter(H11Protocol):
    """A connection that is aborted at a deadline; uvicorn waits forever for the rest of a request.

    uvicorn closes a connection that is idle between two requests (`timeout_keep_alive`). Beyond the limit, a
    new connection replaces the one that has been idle for longest; if all are busy, the new one is refused.
    Without this eviction, 10,000 idle connections without a key lock all other clients out for 13 s.
    """

    _limits: ClassVar[ConnectionLimits]
    _idle: ClassVar[dict[ConnectionLimiter, None]]
    """Connections without a current request, the oldest first. One for each class of connections."""
    _awaited: tuple[float, Any] | None = None
    """The part of a request that must still arrive: see `_next_part`."""
    _arrival_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.connections
        if excess > 0 and self._close_oldest_idle():
            excess -= 1
        self._idle[self] = None
        if excess > MAX_REFUSED:
            transport.abort()
        if excess > 0:
            self.app = refuse_connection
        self._update_deadline()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_deadline()

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._idle.pop(self, None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._idle[self] = None
        self._update_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.pop(self, None)
        super().connection_lost(exc)
        self._cancel_deadline()

    def send_400_response(self, msg: str) -> None:
        """Responds to bytes that h11 cannot parse, and closes the connection: what the application sends
        later is discarded."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # a response has been started already
            return
        problem = problem_response(Malformed("this is not a request of HTTP/1.1"), {"Connection": "close"})
        head = h11.Response(status_code=400, headers=problem.raw_headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _close_oldest_idle(self) -> bool:
        """Aborts the oldest idle connection; returns whether there was one. It no longer counts, although its
        socket closes slightly later."""
        for oldest in self._idle:
            del self._idle[oldest]
            self.connections.discard(oldest)
            oldest.transport.abort()
            return True
        return False

    def _update_deadline(self) -> None:
        """Sets the deadline of the current part of a request; bytes that arrive do not extend it."""
        awaited = self._next_part()
        if awaited == self._awaited:
            return
        self._cancel_deadline()
        if awaited:
            self._awaited = awaited
            self._arrival_deadline = self.loop.call_later(awaited[0], self.transport.abort)

    def _next_part(self) -> tuple[float, Any] | None:
        """The seconds allowed for the part that is arriving, and the request that it belongs to."""
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return self._limits.body, self.cycle
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            return self._limits.head, self.cycle
        return None

    def _cancel_deadline(self) -> None:
        self._awaited = None
        if self._arrival_deadline:
            self._arrival_deadline.cancel()
            self._arrival_deadline = None


async def refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a connection beyond the limit."""
    error = Overloaded("too many connections are open; try again later", retry_after=5)
    await problem_response(error, {"Connection": "close"}, accept_language(scope))(scope, receive, send)
