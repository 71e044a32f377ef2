from __future__ import annotations

import ipaddress

import pytest

from gencode.workspace.identity.client_address import client_address

PROXIES = [ipaddress.ip_network(one) for one in ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["192.0.2.1"], "198.51.100.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["192.0.2.1", "198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("::ffff:127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("127.0.0.1", ["192.0.2.1, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1, "], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.1"], "10.0.0.1"),
        ("", ["192.0.2.1"], ""),
        ("testclient", ["192.0.2.1"], "testclient"),
    ],
)
def test_the_address_is_what_the_farthest_trusted_proxy_has_seen(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


def test_without_trusted_proxies_what_clients_send_is_not_read() -> None:
    assert client_address("127.0.0.1", ["192.0.2.1"], []) == "127.0.0.1"
