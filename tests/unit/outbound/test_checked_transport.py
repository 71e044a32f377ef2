"""Requests to addresses that users give, over sockets: what is refused, and where a request goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from gencode.githosts.http_client import http_client
from gencode.llm.http_client import model_client
from gencode.outbound.checked_transport import AddressRefused
from gencode.outbound.proxies import ProxyRules
from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import UrlPolicy, UrlRules
from tests.servers.outbound_proxy import outbound_proxy
from tests.servers.receiver import Receiver, Reply, receiver
from tests.servers.tls import PrivateCA

LOOPBACK = (ip_network("127.0.0.0/8"),)
MakeClient = Callable[[Outbound], httpx.AsyncClient]


@pytest.fixture(params=[model_client, http_client])
def make(request: pytest.FixtureRequest) -> MakeClient:
    """For models, and for the rest."""
    return request.param  # type: ignore[no-any-return]


def checked(
    *addresses: str, allowed: bool = True, outbound: Outbound | None = None, seen: list[str] | None = None
) -> Outbound:
    """Every name has these addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        if seen is not None:
            seen.append(host)
        return addresses or [host]

    rules = UrlRules(networks=LOOPBACK if allowed else (), http_in_networks=True)
    return replace(outbound or Outbound(), policy=UrlPolicy(rules, resolve))


def port_of(server: Receiver) -> int:
    return httpx.URL(server.url).port or 0


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://internal.example/v1", ["10.0.0.1"]),
        ("https://both.example/v1", ["93.184.215.14", "169.254.169.254"]),
        ("https://127.0.0.1/v1", []),
        ("http://public.example/v1", ["93.184.215.14"]),
        ("https://user:password@public.example/v1", ["93.184.215.14"]),
        ("https://public.example:25/v1", ["93.184.215.14"]),
    ],
)
async def test_addresses_that_are_refused(make: MakeClient, url: str, addresses: list[str]) -> None:
    async with make(checked(*addresses, allowed=False)) as client:
        with pytest.raises(AddressRefused, match=r"must|not public"):
            await client.get(url)


async def test_an_allowed_network_may_be_called_by_http_and_a_public_one_not(make: MakeClient) -> None:
    async with receiver() as server, make(checked("127.0.0.1")) as client:
        response = await client.post(f"http://models.example:{port_of(server)}/in", content=b"{}")
        assert response.status_code == 204
        assert server.seen[0].headers["host"] == f"models.example:{port_of(server)}"
        assert server.seen[0].body == b"{}"
    async with make(checked("127.0.0.1", "93.184.215.14")) as client:
        with pytest.raises(AddressRefused, match="https"):
            await client.get("http://models.example/")


async def test_a_streamed_body_arrives(make: MakeClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * 1000
        yield b"b" * 1000

    async with receiver() as server, make(checked("127.0.0.1")) as client:
        await client.post(f"http://git.example:{port_of(server)}/in", content=pieces())
        assert server.seen[0].body == b"a" * 1000 + b"b" * 1000


async def test_the_next_address_is_tried_and_a_redirect_is_checked(make: MakeClient) -> None:
    async with receiver() as server, make(checked("127.0.0.2", "127.0.0.1")) as client:
        assert (await client.get(f"http://two.example:{port_of(server)}/")).status_code == 204
    elsewhere = Reply(status=302, headers={"location": "http://10.0.0.1/"})
    async with receiver(elsewhere) as server, make(checked()) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"http://127.0.0.1:{port_of(server)}/", follow_redirects=True)


async def test_each_name_needs_a_certificate_of_its_own(make: MakeClient, tmp_path: Path) -> None:
    """Also if a connection for another name is open to the same IP address."""
    authority = PrivateCA.create(tmp_path)
    outbound = Outbound()
    outbound.tls.load_verify_locations(authority.file)
    async with (
        receiver() as server,
        authority.front("mine.example", port_of(server)) as port,
        make(checked("127.0.0.1", outbound=outbound)) as client,
    ):
        for _ in range(2):
            assert (await client.get(f"https://mine.example:{port}/")).status_code == 204
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://other.example:{port}/")
        assert len(server.seen) == 2


async def test_a_proxy_gets_the_checked_address(make: MakeClient, tmp_path: Path) -> None:
    authority = PrivateCA.create(tmp_path)
    async with (
        receiver() as server,
        authority.front("models.example", port_of(server)) as port,
        outbound_proxy({"93.184.215.14:443": port}) as proxy,
    ):
        outbound = Outbound(proxies=ProxyRules(by_scheme={"http": proxy.url, "https": proxy.url}))
        outbound.tls.load_verify_locations(authority.file)
        async with make(checked("93.184.215.14", outbound=outbound)) as client:
            assert (await client.get("https://models.example/")).status_code == 204
        assert proxy.asked == ["CONNECT 93.184.215.14:443"]
        assert server.seen[0].headers["host"] == "models.example"


async def test_a_host_that_is_not_found_now_is_no_refusal(make: MakeClient) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no name server")

    async with make(Outbound(policy=UrlPolicy(UrlRules(), resolve))) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("https://models.example/")
