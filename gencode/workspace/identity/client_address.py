"""Where a request comes from: of the peer, or of a client behind trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """The nearest address that is no trusted proxy.

    peer       the address of the connection
    forwarded  values of X-Forwarded-For: each proxy appends the address of its peer, so that only what a
               trusted one has written is read
    """
    entries = [entry for value in forwarded for entry in value.split(",")]
    found = _parsed(peer)
    while found and entries and any(found in network for network in proxies):
        before = _parsed(entries.pop())
        if before is None:
            break
        found = before
    return str(found) if found else peer


def _parsed(text: str) -> Address | None:
    """Also of an address in brackets, or with a port."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
