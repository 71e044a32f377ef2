"""Rules that select the proxy of a request, and the parser of a proxy's URL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WITH_PORT = re.compile(r"(?P<host>\[[^]]*\]|[^:]*):(?P<port>\d{1,5})")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyRules:
    """by_scheme  the proxy's URL for the targets of a scheme, `http` or `https`; no entry: direct
    no_proxy   targets to which requests go directly: a name with its subdomains (`.` or `*.` in front changes
               nothing), an IP address, a network, each with a port if wanted; `*` for all

    Loopback is always direct. Names are not resolved: a network matches targets that are IP addresses.
    """

    by_scheme: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: Sequence[str] = ()

    def proxy_for(self, scheme: str, port: int | None, *hosts: str) -> str:
        """The URL of the proxy; "" for a direct request. `hosts`: the known names and IP addresses of the
        target."""
        proxy = self.by_scheme.get(scheme, "")
        number = port or _DEFAULT_PORTS.get(scheme, 0)
        if not proxy or any(self._is_direct(host.lower().rstrip("."), number) for host in hosts):
            return ""
        return proxy

    def proxy_for_url(self, url: str) -> str:
        """The URL of the proxy for a target URL; "" for a direct request."""
        parts = urlsplit(url)
        return self.proxy_for(parts.scheme, parts.port, parts.hostname or "")

    def _is_direct(self, host: str, port: int) -> bool:
        return _is_loopback(host) or any(_matches(entry.lower(), host, port) for entry in self.no_proxy)


DIRECT = ProxyRules()
"""Rules without a proxy."""


def parse_proxy(text: str) -> SplitResult:
    """The parsed URL of a proxy; `http://` may be missing. Raises ValueError, whose text has no password."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if parts.scheme != "http" or not (parts.hostname and port) or parts.path not in ("", "/") or parts.query:
        raise ValueError("must be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(address and (mapped or address).is_loopback)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if found := _WITH_PORT.fullmatch(entry):
        if int(found["port"]) != port:
            return False
        entry = found["host"]
    if address := _address(host):
        return _in_network(address, entry.strip("[]"))
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _in_network(address: _Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
