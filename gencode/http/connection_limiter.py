"""A connection's way in: how long a request may take to arrive, and how many connections may be open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gencode.domain.errors import Malformed, Overloaded
from gencode.http.problems import problem_response

TURNED_AWAY = 16
"""Connections beyond the limit that are told so, in words; each more is cut at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """head, body: seconds that each may take to arrive; connections: most that may be open."""

    head: float
    body: float
    connections: int


class ConnectionLimiter(H11Protocol):
    """uvicorn waits for the rest of a request for ever; here the connection is cut at a deadline.

    An idle connection between two requests is uvicorn's to close (`timeout_keep_alive`).
    """

    _entry: ClassVar[ConnectionLimits]
    _arriving: tuple[float, Any] | None = None
    _deadline_of_arrival: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        excess = len(self.connections) - self._entry.connections
        if excess > TURNED_AWAY:
            transport.abort()
        if excess > 0:
            self.app = turn_away
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """What h11 could not read."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # an answer is under way already
            return
        problem = problem_response(Malformed("this is not a request of HTTP/1.1"), {"Connection": "close"})
        head = h11.Response(status_code=400, headers=problem.raw_headers, reason=b"Bad Request")
        for part in (head, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def _expect(self) -> None:
        """Have a deadline for what must still arrive, the same one until it has arrived."""
        arriving = self._part()
        if arriving == self._arriving:
            return
        self._stop_waiting()
        if arriving:
            self._arriving = arriving
            self._deadline_of_arrival = self.loop.call_later(arriving[0], self.transport.abort)

    def _part(self) -> tuple[float, Any] | None:
        """The seconds that the part under way may take, and the request it is of."""
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return self._entry.body, self.cycle
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            return self._entry.head, self.cycle
        return None

    def _stop_waiting(self) -> None:
        self._arriving = None
        if self._deadline_of_arrival:
            self._deadline_of_arrival.cancel()
            self._deadline_of_arrival = None


async def turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole application, for a connection too many."""
    error = Overloaded("too many connections are open; try again later", retry_after=5)
    await problem_response(error, {"Connection": "close"})(scope, receive, send)
