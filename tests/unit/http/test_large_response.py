"""Large bodies: in pieces, and few of them in memory at once."""

from __future__ import annotations

import anyio
import pytest
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message

from gencode.domain.errors import Overloaded, RateLimited
from gencode.domain.principal import Principal
from gencode.http.large_response import PIECE, LargeBodyMiddleware, UnsentBodies

LARGE = 10 * PIECE + 1


class Client:
    """A client that takes no more than `takes` messages, then waits."""

    def __init__(self, app: ASGIApp, takes: int = 1000, name: str = "alice", method: str = "GET") -> None:
        self.app = app
        self.takes = takes
        self.messages: list[Message] = []
        state = {"principal": Principal(id=name)}
        self.scope = {"type": "http", "method": method, "path": "/", "headers": [], "state": state}

    async def get(self) -> None:
        await self.app(self.scope, self.receive, self.send)

    async def receive(self) -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) > self.takes:
            await anyio.sleep_forever()

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def app(unsent: UnsentBodies, size: int = LARGE) -> ASGIApp:
    return LargeBodyMiddleware(PlainTextResponse(b"x" * size), unsent)


@pytest.mark.fault(114)
async def test_a_large_body_is_sent_in_pieces_and_ends_once() -> None:
    client = Client(app(UnsentBodies()))
    await client.get()
    assert client.body == b"x" * LARGE
    assert max(len(message.get("body", b"")) for message in client.messages) == PIECE
    assert [message.get("more_body") for message in client.messages[1:]] == [True] * 11 + [False]


@pytest.mark.parametrize("size", [0, 1, PIECE])
async def test_a_small_body_is_left_as_it_is(size: int) -> None:
    client = Client(app(UnsentBodies(), size))
    await client.get()
    assert len(client.messages) == 2


async def test_a_stream_of_unknown_length_and_a_head_are_left_as_they_are() -> None:
    unsent = UnsentBodies(total=1, of_client=1)
    unsent.reserve("alice", 1)
    stream = Client(LargeBodyMiddleware(StreamingResponse(iter([b"x" * LARGE])), unsent))
    await stream.get()
    assert stream.body == b"x" * LARGE
    head = Client(app(unsent), method="HEAD")
    await head.get()
    assert head.status == 200


@pytest.mark.fault(114)
async def test_a_client_that_reads_none_of_its_downloads_gets_no_further_one() -> None:
    unsent = UnsentBodies(total=20 * LARGE, of_client=3 * LARGE)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(Client(app(unsent), takes=1).get)
        await anyio.wait_all_tasks_blocked()
        refused = Client(app(unsent))
        await refused.get()
        assert refused.status == 429
        assert b"RATE_LIMITED" in refused.body
        assert (b"retry-after", b"5") in refused.messages[0]["headers"]
        other = Client(app(unsent), name="bob")
        await other.get()
        assert other.status == 200
        group.cancel_scope.cancel()
    again = Client(app(unsent))
    await again.get()
    assert again.status == 200, "what was given up holds no memory"


def test_the_bytes_of_all_clients_are_bounded_and_one_body_alone_may_be_larger() -> None:
    unsent = UnsentBodies(total=10, of_client=5)
    unsent.reserve("alice", 9)
    unsent.reserve("bob", 1)
    with pytest.raises(Overloaded):
        unsent.reserve("carol", 1)
    with pytest.raises(RateLimited):
        unsent.reserve("alice", 1)
    unsent.release("alice", 9)
    unsent.reserve("carol", 5)
