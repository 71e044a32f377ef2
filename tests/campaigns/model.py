"""A model that serves orders at the pace it is allowed, and remembers every call."""

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
from tests.campaigns.orders import PIECE, Order
from tests.servers.model import USAGE, Body, ModelServer, Reply, call_of, chunk, prefix_of, stream

_ORDER = re.compile(r"Order number (\d+)\.")
_EVENT = 100
"""Characters in one event of a stream."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `part` is the name under which the service keeps the answer; `life` is the service's."""

    number: int
    order: int
    part: str
    life: int


class PacedModel(ModelServer):
    """Each answer stops half-way until `release` lets it end: a model that takes its time.

    calls     in the order of arrival
    life      of the service, set by the campaign
    released  how often answers were let end
    """

    def __init__(self, base_url: str, orders: Sequence[Order]) -> None:
        super().__init__(base_url, Reply())
        self.calls: list[Call] = []
        self.life = 0
        self.released = 0
        self._orders = {order.number: order for order in orders}
        self._held: dict[Call, anyio.Event] = {}
        self._wishes: list[int | None] = []
        self._unpaced = False

    def answered(self, call: Call) -> bool:
        """Whether the answer was sent whole to a client that was there."""
        return bool(self.completed[call.part, str(call.number)])

    def release(self, order: int | None = None) -> None:
        """Let one answer end, of this order if one is named; if none waits, the next that comes."""
        self.released += 1
        for call in self._held:
            gate = self._held[call]
            if call.life == self.life and order in (None, call.order) and not gate.is_set():
                gate.set()
                return
        self._wishes.append(order)

    def begin(self, life: int) -> None:
        """What was released and not used was meant for a service that is dead."""
        self.life = life
        self._wishes.clear()

    def open(self) -> None:
        """From now on every answer comes at once."""
        self._unpaced = True
        for gate in self._held.values():
            gate.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = json.loads(await Request(scope, receive).body())
        call, text, finish = self._enter(body)
        try:
            reply = _reply(text, finish, self._gate(call))
            await self._play(reply, (call.part, str(call.number)), receive, send)
        finally:
            self._held.pop(call, None)

    def _gate(self, call: Call) -> anyio.Event:
        gate = self._held[call] = anyio.Event()
        create_request = next(
            (create_request for create_request in self._wishes if create_request in (None, call.order)), -1
        )
        if create_request != -1:
            self._wishes.remove(create_request)
        if self._unpaced or create_request != -1:
            gate.set()
        return gate

    def _enter(self, body: Body) -> tuple[Call, str, str]:
        """The call, noted; what to say to it, and how that ends."""
        order = self._orders[int(_ORDER.findall(json.dumps(body["messages"]))[0])]
        kind, path = call_of(body)
        said = prefix_of(body)
        part, text, finish = _piece(order, path, said) if kind == "file" else ("plan", order.plan, "stop")
        call = Call(number=len(self.calls), order=order.number, part=part, life=self.life)
        self.calls.append(call)
        return call, text, finish


def _piece(order: Order, path: str, said: str) -> tuple[str, str, str]:
    """The part's name, what follows the prefix up to the next multiple of PIECE, and how that ends.

    A model without native prefix completion is shown less than it has said, but at least half of its newest
    answer: so the round is plain all the same.
    """
    whole, rounds = order.files[path], -(-len(said) // PIECE) + 1
    assert whole.startswith(said)
    end = rounds * PIECE
    return f"piece:{rounds}:{path}", whole[len(said) : end], "length" if end < len(whole) else "stop"


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
    """On a free port, in this event loop."""
    sock = listen()
    model = PacedModel(address(sock), orders)
    async with serve(model, sock):
        try:
            yield model
        finally:
            model.hang_up()
