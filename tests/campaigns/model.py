"""A scripted model that answers orders at the pace of the campaign, and records every call."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gencode.embedded.server import address, listen, serve
from tests.campaigns.orders import PIECE_LENGTH, Order
from tests.servers.model import USAGE, Body, ModelServer, Reply, call_of, chunk, prefix_of, stream

_ORDER = re.compile(r"Order number (\d+)\.")
_EVENT = 100
"""Characters in one event of a stream."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `part`: the name of the checkpoint with its answer; `incarnation`: of the service."""

    number: int
    order: int
    part: str
    incarnation: int


class PacedModel(ModelServer):
    """Each answer pauses half-way until `release` is called.

    calls        in the order of arrival
    incarnation  of the service, set by `begin`
    released     how often `release` was called
    """

    def __init__(self, base_url: str, orders: Sequence[Order]) -> None:
        super().__init__(base_url, Reply())
        self.calls: list[Call] = []
        self.incarnation = 0
        self.released = 0
        self._orders = {order.number: order for order in orders}
        self._gates: dict[Call, anyio.Event] = {}
        self._early_releases: list[int | None] = []
        self._is_open = False

    def answered(self, call: Call) -> bool:
        """Whether the complete answer was sent to a connected client."""
        return bool(self.completed[call.part, str(call.number)])

    def release(self, order: int | None = None) -> None:
        """Let one answer end, of this order if one is given; if none is paused, the next that comes."""
        self.released += 1
        for call in self._gates:
            gate = self._gates[call]
            if call.incarnation == self.incarnation and order in (None, call.order) and not gate.is_set():
                gate.set()
                return
        self._early_releases.append(order)

    def begin(self, incarnation: int) -> None:
        """Forget unused releases: they were meant for the incarnation before."""
        self.incarnation = incarnation
        self._early_releases.clear()

    def open(self) -> None:
        """Pause no answer any more."""
        self._is_open = True
        for gate in self._gates.values():
            gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = json.loads(await Request(scope, receive).body())
        call, text, finish = self._record_call(body)
        try:
            reply = _reply(text, finish, self._gate(call))
            await self._play(reply, (call.part, str(call.number)), receive, send)
        finally:
            self._gates.pop(call, None)

    def _gate(self, call: Call) -> anyio.Event:
        gate = self._gates[call] = anyio.Event()
        create_request = next(
            (
                create_request
                for create_request in self._early_releases
                if create_request in (None, call.order)
            ),
            -1,
        )
        if create_request != -1:
            self._early_releases.remove(create_request)
        if self._is_open or create_request != -1:
            gate.set()
        return gate

    def _record_call(self, body: Body) -> tuple[Call, str, str]:
        """Record the call; returns it with the text of its answer and the finish reason."""
        order = self._orders[int(_ORDER.findall(json.dumps(body["messages"]))[0])]
        kind, path = call_of(body)
        sent = prefix_of(body)
        part, text, finish = _piece(order, path, sent) if kind == "file" else ("plan", order.plan, "stop")
        call = Call(number=len(self.calls), order=order.number, part=part, incarnation=self.incarnation)
        self.calls.append(call)
        return call, text, finish


def _piece(order: Order, path: str, sent: str) -> tuple[str, str, str]:
    """The checkpoint's name, the text up to the next multiple of PIECE_LENGTH, and the finish reason.

    A model without native prefix completion is shown less than it has sent, but at least half of its newest
    answer, so the round can always be computed.
    """
    whole, rounds = order.files[path], -(-len(sent) // PIECE_LENGTH) + 1
    assert whole.startswith(sent)
    end = rounds * PIECE_LENGTH
    return f"piece:{rounds}:{path}", whole[len(sent) : end], "length" if end < len(whole) else "stop"


def _reply(content: str, finish: str, gate: anyio.Event) -> Reply:
    pieces = [content[at : at + _EVENT] for at in range(0, len(content), _EVENT)]
    events: list[dict[str, Any]] = [chunk({"content": piece}) for piece in pieces]
    middle = len(events) // 2
    return stream(*events[:middle], gate, *events[middle:], chunk({}, finish), _usage())


def _usage() -> dict[str, Any]:
    return {
        "choices": [],
        "usage": {"prompt_tokens": USAGE.prompt, "completion_tokens": USAGE.completion},
    }


@asynccontextmanager
async def paced_model(orders: Sequence[Order]) -> AsyncIterator[PacedModel]:
    """Serve it on a free port, in this event loop."""
    sock = listen()
    model = PacedModel(address(sock), orders)
    async with serve(model, sock):
        try:
            yield model
        finally:
            model.hang_up()
