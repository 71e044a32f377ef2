"""One POST, to real sockets that behave as badly as they can."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence

import pytest

from gencode.notifications.sender import Answer, Message, NotSent, Sender, transport
from gencode.notifications.url_policy import UrlPolicy, UrlRefused, UrlRules
from tests.servers.peer import Act, Peer, peer
from tests.servers.ports import closed_port
from tests.servers.receiver import Reply, receiver

LOOPBACK = UrlRules(networks=[ipaddress.ip_network("127.0.0.1/32")], http=True)
MESSAGE = Message(body=b'{"a": 1}', headers={"webhook-id": "m-1", "Content-Type": "application/json"})


class Names:
    """A resolver that gives these answers one after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def poster(rules: UrlRules = LOOPBACK, names: Names | None = None, timeout: float = 5) -> Sender:
    url_policy = UrlPolicy(rules, names or Names(["127.0.0.1"]))
    return Sender(
        url_policy, transport(ssl.create_default_context()), "gencode/test", timeout, now=lambda: 0.0
    )


def at(port: int) -> str:
    return f"http://hooks.example:{port}/in?token=t"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_the_name_is_in_the_request_and_the_judged_address_is_called() -> None:
    async with receiver() as services:
        port = port_of(services.url)
        assert await poster()(at(port), MESSAGE) == Answer(status=204)
        (seen,) = services.seen
    assert (seen.path, seen.body) == ("/in?token=t", MESSAGE.body)
    assert seen.headers["host"] == f"hooks.example:{port}"
    assert seen.headers["webhook-id"] == "m-1"
    assert seen.headers["user-agent"] == "gencode/test"


async def test_a_name_that_leads_elsewhere_a_moment_later_gains_nothing() -> None:
    """DNS rebinding: what was judged is what is called; asked again, the name is judged again."""
    names = Names(["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"])
    async with receiver() as services:
        post = poster(names=names)
        assert (await post(at(port_of(services.url)), MESSAGE)).status == 204
        for _ in range(2):
            with pytest.raises(UrlRefused, match="not public"):
                await post(at(port_of(services.url)), MESSAGE)
        assert len(services.seen) == 1


async def test_a_redirect_to_where_it_may_not_go_is_not_followed() -> None:
    async with receiver() as other:
        headers = {"location": "http://169.254.169.254/latest/meta-data/"}
        async with receiver(
            [Reply(status=307, headers=headers), Reply(status=302, headers={"location": other.url})]
        ) as services:
            post = poster()
            assert (await post(at(port_of(services.url)), MESSAGE)).status == 307
            assert (await post(at(port_of(services.url)), MESSAGE)).status == 302
        assert not other.seen


async def test_no_cookie_is_sent_back() -> None:
    async with receiver(Reply(headers={"set-cookie": "a=b; Path=/"})) as services:
        post = poster()
        for _ in range(2):
            await post(at(port_of(services.url)), MESSAGE)
        assert "cookie" not in services.seen[1].headers


async def test_retry_after_is_told() -> None:
    async with receiver(Reply(status=429, headers={"retry-after": "30"})) as services:
        assert await poster()(at(port_of(services.url)), MESSAGE) == Answer(status=429, retry_after=30.0)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


async def test_an_endless_answer_is_not_read() -> None:
    async with peer(lambda _n: [HEAD, *[b"x" * 65536] * 1000]) as services:
        assert (await poster()(at(services.port), MESSAGE)).status == 200
        assert services.sent < 65536 * 1000


async def refused(play: Peer, timeout: float = 5) -> str:
    with pytest.raises(NotSent) as error:
        await poster(timeout=timeout)(at(play.port), MESSAGE)
    assert "token" not in str(error.value)
    assert "127.0.0.1" not in str(error.value)
    return str(error.value)


async def test_who_says_nothing_or_drips_is_left_at_the_deadline() -> None:
    async with peer(lambda _n: [Act.STALL]) as services:
        assert await refused(services, 0.2) == "did not answer within 0.2 s"
    async with peer(lambda _n: [b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 100, Act.STALL]) as services:
        assert await refused(services, 0.2) == "did not answer within 0.2 s"


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\x01nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000]
)
async def test_what_is_no_http_is_a_connection_broken_off(answer: bytes) -> None:
    async with peer(lambda _n: [answer]) as services:
        assert await refused(services) == "broke the connection off"


async def test_nobody_there() -> None:
    assert await refused(Peer(port=closed_port())) == "could not be connected to"


async def test_of_several_addresses_the_next_is_tried() -> None:
    async with receiver() as services:
        rules = UrlRules(networks=[ipaddress.ip_network("127.0.0.0/8")], http=True)
        post = poster(rules, Names(["127.0.0.9", "127.0.0.1"]))
        assert (await post(at(port_of(services.url)), MESSAGE)).status == 204


async def test_tls_is_spoken_and_the_certificate_must_be_the_names() -> None:
    """A receiver whose certificate nobody vouches for gets nothing."""
    async with receiver() as services:
        with pytest.raises(NotSent):
            await poster()(f"https://hooks.example:{port_of(services.url)}/", MESSAGE)
        assert not services.seen
