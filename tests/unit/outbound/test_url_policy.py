from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import pytest

from gencode.outbound.url_policy import (
    Resolver,
    UrlPolicy,
    UrlRefused,
    UrlRules,
    UrlUnresolved,
    host_of,
    origin_of,
)

Found = Sequence[str] | OSError | ValueError
PUBLIC = "93.184.215.14"


def names(**table: Found) -> tuple[list[str], object]:
    """The list of names that were resolved, and a resolver of this table."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        found = table.get(host.replace(".", "_"), [host])
        if isinstance(found, Exception):
            raise found
        return found

    return asked, resolve


async def addresses_of(
    url: str, rules: UrlRules | None = None, **table: Sequence[str] | OSError | ValueError
) -> list[str]:
    _, resolve = names(**table)
    return list((await UrlPolicy(rules or UrlRules(), resolve).resolve(url)).addresses)  # type: ignore[arg-type]  # a resolver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.1",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "100::1",
    ],
)
async def test_addresses_that_are_not_public_are_refused_as_names_and_literals(address: str) -> None:
    with pytest.raises(UrlRefused, match="not public"):
        await addresses_of("https://a.example/x", a_example=[address])
    with pytest.raises(UrlRefused, match="not public"):
        await addresses_of("https://a.example/x", a_example=[PUBLIC, address])
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(UrlRefused):
        await addresses_of(f"https://{literal}/x")


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"]
)
async def test_public_addresses_are_returned_once(address: str) -> None:
    assert await addresses_of("https://a.example/x", a_example=[address, address]) == [address]


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST."]
)
async def test_other_spellings_of_loopback_are_refused(host: str) -> None:
    with pytest.raises(UrlRefused):
        await UrlPolicy(UrlRules(), Resolver()).resolve(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a.example/", "https"),
        ("file:///etc/passwd", "https"),
        ("gopher://a.example/", "https"),
        ("//a.example/", "https"),
        ("https:///x", "https"),
        ("https://", "https"),
        ("https://a.example\\@b.example/", "https"),
        ("https://bücher.example/", "https"),
        ("http://a.example/", "https"),
        ("https://me:secret@a.example/", "user name"),
        ("https://me@a.example/", "user name"),
        ("https://@a.example/", "user name"),
        ("https://a.example/#x", "#"),
        ("https://a.example:25/", "port"),
        ("https://a.example:22/", "port"),
        ("https://a.example:0/", "port"),
        ("https://a.example:99999/", "no web address"),
        ("https://a.exa mple/", "https"),
        ("https://a.example/" + "x" * 2048, "longer"),
        ("https://a\x00.example/", "https"),
    ],
)
async def test_an_invalid_url_is_refused_before_its_name_is_resolved(url: str, why: str) -> None:
    asked, resolve = names(a_example=[PUBLIC])
    with pytest.raises(UrlRefused, match=why):
        await UrlPolicy(UrlRules(), resolve).resolve(url)  # type: ignore[arg-type]  # a resolver
    assert not asked


async def test_rules_can_allow_networks_and_plain_http() -> None:
    rules = UrlRules(
        networks=[ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("::1/128")], http=True
    )
    assert await addresses_of("http://a.example:8080/", rules, a_example=["10.1.2.3"]) == ["10.1.2.3"]
    assert await addresses_of("http://a.example/", rules, a_example=["::ffff:10.1.2.3"]) == [
        "::ffff:10.1.2.3"
    ]
    assert await addresses_of("http://[::1]/", rules) == ["::1"]
    for address in ("10.2.0.1", "127.0.0.1", "::ffff:127.0.0.1"):
        with pytest.raises(UrlRefused):
            await addresses_of("http://a.example/", rules, a_example=[address])


async def test_an_unknown_name_is_refused_and_a_failing_name_server_is_temporary() -> None:
    for absent in (socket.gaierror(socket.EAI_NONAME, ""), UnicodeError("label too long")):
        with pytest.raises(UrlRefused) as refused:
            await addresses_of("https://a.example/", a_example=absent)
        assert not isinstance(refused.value, UrlUnresolved)
    for passing in (socket.gaierror(socket.EAI_AGAIN, ""), OSError("network is down")):
        with pytest.raises(UrlUnresolved):
            await addresses_of("https://a.example/", a_example=passing)
    with pytest.raises(UrlRefused):
        await addresses_of("https://a.example/", a_example=[])


def test_origin_and_host_of_a_url() -> None:
    assert origin_of("https://hooks.example:8443/T0/secret?token=x") == "https://hooks.example:8443"
    assert (
        host_of("https://Hooks.Example./a") == host_of("https://hooks.example:443/b") == "hooks.example:443"
    )
    assert host_of("http://[::1]/") == "::1:80"
