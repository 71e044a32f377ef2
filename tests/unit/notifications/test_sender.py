"""One POST, to real sockets, some of which misbehave."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Sequence

import pytest

from gencode.notifications.sender import MAX_HEAD, Message, NoResponse, Response, Sender
from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import UrlPolicy, UrlRefused, UrlRules
from tests.servers.peer import Act, Peer, peer
from tests.servers.ports import closed_port
from tests.servers.receiver import Reply, receiver

LOOPBACK = UrlRules(networks=[ipaddress.ip_network("127.0.0.1/32")], http=True)
MESSAGE = Message(body=b'{"a": 1}', headers={"webhook-id": "m-1", "Content-Type": "application/json"})


class ScriptedResolver:
    """Gives these answers one after the other, the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def sender(rules: UrlRules = LOOPBACK, names: ScriptedResolver | None = None, timeout: float = 5) -> Sender:
    url_policy = UrlPolicy(rules, names or ScriptedResolver(["127.0.0.1"]))
    return Sender(url_policy, Outbound(), "gencode/test", timeout, now=lambda: 0.0)


def at(port: int) -> str:
    return f"http://hooks.example:{port}/in?token=t"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_the_request_has_the_host_name_and_goes_to_the_checked_address() -> None:
    async with receiver() as server:
        port = port_of(server.url)
        assert await sender()(at(port), MESSAGE) == Response(status=204)
        (seen,) = server.seen
    assert (seen.path, seen.body) == ("/in?token=t", MESSAGE.body)
    assert seen.headers["host"] == f"hooks.example:{port}"
    assert seen.headers["webhook-id"] == "m-1"
    assert seen.headers["user-agent"] == "gencode/test"


async def test_dns_rebinding_has_no_effect() -> None:
    """The connection is made to a checked address, and each call resolves and checks the name again."""
    names = ScriptedResolver(["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"])
    async with receiver() as server:
        send = sender(names=names)
        assert (await send(at(port_of(server.url)), MESSAGE)).status == 204
        for _ in range(2):
            with pytest.raises(UrlRefused, match="not public"):
                await send(at(port_of(server.url)), MESSAGE)
        assert len(server.seen) == 1


async def test_redirects_are_not_followed() -> None:
    async with receiver() as other:
        headers = {"location": "http://169.254.169.254/latest/meta-data/"}
        async with receiver(
            [Reply(status=307, headers=headers), Reply(status=302, headers={"location": other.url})]
        ) as server:
            send = sender()
            assert (await send(at(port_of(server.url)), MESSAGE)).status == 307
            assert (await send(at(port_of(server.url)), MESSAGE)).status == 302
        assert not other.seen


async def test_cookies_are_not_kept() -> None:
    async with receiver(Reply(headers={"set-cookie": "a=b; Path=/"})) as server:
        send = sender()
        for _ in range(2):
            await send(at(port_of(server.url)), MESSAGE)
        assert "cookie" not in server.seen[1].headers


async def test_retry_after_is_returned() -> None:
    async with receiver(Reply(status=429, headers={"retry-after": "30"})) as server:
        assert await sender()(at(port_of(server.url)), MESSAGE) == Response(status=429, retry_after=30.0)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


async def test_the_body_of_a_response_is_not_read() -> None:
    async with peer(lambda _n: [HEAD, *[b"x" * 65536] * 1000]) as server:
        assert (await sender()(at(server.port), MESSAGE)).status == 200
        assert server.sent < 65536 * 1000


async def failure_of(play: Peer, timeout: float = 5) -> str:
    with pytest.raises(NoResponse) as error:
        await sender(timeout=timeout)(at(play.port), MESSAGE)
    assert "token" not in str(error.value)
    assert "127.0.0.1" not in str(error.value)
    return str(error.value)


async def test_a_silent_or_slow_receiver_is_left_at_the_deadline() -> None:
    async with peer(lambda _n: [Act.STALL]) as server:
        assert await failure_of(server, 0.2) == "did not answer within 0.2 s"
    async with peer(lambda _n: [b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 100, Act.STALL]) as server:
        assert await failure_of(server, 0.2) == "did not answer within 0.2 s"


@pytest.mark.parametrize("answer", [b"", b"\x00\x01nonsense\r\n\r\n"])
async def test_a_response_that_is_not_http_is_a_broken_connection(answer: bytes) -> None:
    async with peer(lambda _n: [answer]) as server:
        assert await failure_of(server) == "broke the connection off"


@pytest.mark.fault(116)
@pytest.mark.parametrize(
    "piece", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", b"x"]
)
async def test_a_receiver_that_never_comes_to_its_answer_is_left_after_some_bytes(piece: bytes) -> None:
    """Valid heads without end, which no limit of a parser ends, and one endless header."""
    begin = b"HTTP/1.1 200 OK\r\nX: " if piece == b"x" else b""
    async with peer(lambda _n: itertools.chain([begin], itertools.repeat(piece * 1000))) as server:
        assert await failure_of(server, 60) == f"sent more than {MAX_HEAD} bytes before its answer"
        assert server.connections == 1


async def test_informational_answers_come_before_the_final_one() -> None:
    head = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with peer(lambda _n: [b"HTTP/1.1 100 Continue\r\n\r\n" * 100, head]) as server:
        assert (await sender()(at(server.port), MESSAGE)).status == 204


async def test_a_refused_connection_is_reported() -> None:
    assert await failure_of(Peer(port=closed_port())) == "could not be connected to"


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    async with receiver() as server:
        rules = UrlRules(networks=[ipaddress.ip_network("127.0.0.0/8")], http=True)
        send = sender(rules, ScriptedResolver(["127.0.0.9", "127.0.0.1"]))
        assert (await send(at(port_of(server.url)), MESSAGE)).status == 204


async def test_an_untrusted_receiver_gets_nothing_over_tls() -> None:
    async with receiver() as server:
        with pytest.raises(NoResponse):
            await sender()(f"https://hooks.example:{port_of(server.url)}/", MESSAGE)
        assert not server.seen
