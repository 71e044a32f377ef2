"""The policy that decides which URLs of clients may be called: protection from server-side request forgery.

A client names the URL (of a callback, a model, a Git host), and this service calls it from the operator's
network; without rules, a request could reach internal hosts that the client cannot reach. A host name is
resolved first, its IP addresses are checked, and the connection is made to a checked IP address; so a name
that resolves differently later (DNS rebinding) has no effect.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread
import httpx

from gencode.outbound.proxies import DIRECT, ProxyRules

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes a host name and a port; returns IP addresses. Raises OSError."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_LENGTH = 2048
MAX_PORT = 65535
MAX_TRIED_ADDRESSES = 3
"""The most IP addresses that are tried if a name resolves to many."""
_PRINTABLE = re.compile(r"[!-~]+")
_SHAPE = re.compile(r"https?://(?P<authority>[^/?#\\]+)([/?][^#]*)?", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]+", re.IGNORECASE)
_WEB_PORTS = (80, 443)
_FIRST_UNPRIVILEGED_PORT = 1024
"""Servers of mail, DNS and remote login listen on lower ports, and some interpret HTTP as their own
protocol."""
_NO_SUCH_HOST = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "64:ff9b:1::/48",  # local-use NAT64 (RFC 8215)
            "168.63.129.16/32",  # Azure's host, reachable from every virtual machine
            "192.0.0.0/24",  # IETF protocol assignments; 192.0.0.192 is a cloud's metadata service
            "192.88.99.0/24",  # 6to4 relays
            "3fff::/20",  # documentation
            "::/96",  # IPv4-compatible IPv6 addresses, deprecated
        ),
    )
)
"""Networks that are not public, although `ipaddress` treats them as public in some Python versions."""


class UrlRefused(Exception):
    """This URL may not be called; the text says why, and nothing about the operator's network."""


class HostUnknown(UrlRefused):
    """There is no such host name, or cannot be."""


class UrlUnresolved(UrlRefused):
    """The host name cannot be resolved now, since no name server answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UrlRules:
    """networks          networks that may be called although they are not public
    http              whether plain HTTP is allowed
    http_in_networks  whether plain HTTP is allowed to the addresses of `networks`
    by_proxy          a name to which these rules assign a proxy is resolved by the proxy and not checked; for
                      targets that the operator configured
    """

    networks: Sequence[Network] = ()
    http: bool = False
    http_in_networks: bool = False
    by_proxy: ProxyRules = DIRECT


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedUrl:
    """A URL that may be called. `addresses`: IP addresses to connect to, in the order of the attempts;
    or the name, for a proxy that resolves it."""

    url: httpx.URL
    addresses: Sequence[str]


class Resolver:
    """The system's resolver, in threads of its own: slow name servers of clients must not occupy the threads
    that resolve the names of model APIs. While all threads are busy, a name counts as
    temporarily unresolvable."""

    def __init__(self, concurrency: int = 8) -> None:
        self._limiter = anyio.CapacityLimiter(concurrency)

    async def __call__(self, host: str, port: int) -> list[str]:
        if not self._limiter.available_tokens:
            raise socket.gaierror(socket.EAI_AGAIN, "too many names are being resolved")
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await anyio.to_thread.run_sync(lookup, limiter=self._limiter, abandon_on_cancel=True)
        return [str(address[0]) for *_, address in found]


class UrlPolicy:
    """Resolves URLs that may be called, and rejects other URLs."""

    def __init__(self, rules: UrlRules, resolve: Resolve) -> None:
        self._rules = rules
        self._lookup = resolve

    async def resolve(self, url: str) -> ResolvedUrl:
        """Raises UrlRefused; its subclass UrlUnresolved is temporary."""
        parsed = parse(url)
        rules = self._rules
        if parsed.scheme == "http" and not (rules.http or rules.http_in_networks):
            raise UrlRefused("must be an https address")
        if rules.by_proxy.proxy_for(parsed.scheme, parsed.port, _name(parsed)):
            return ResolvedUrl(url=parsed, addresses=(_name(parsed),))
        addresses = list(dict.fromkeys(await self._addresses(parsed)))
        if not (addresses and all(map(self._is_allowed, addresses))):
            raise UrlRefused("leads to an address that is not public, which this service does not call")
        if parsed.scheme == "http" and not (rules.http or all(map(self._is_in_networks, addresses))):
            raise UrlRefused("must be an https address")
        return ResolvedUrl(url=parsed, addresses=addresses)

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        try:
            return await self._lookup(_name(url), _port(url))
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_HOST:
                raise HostUnknown("names a host that does not exist") from None
            raise UrlUnresolved("names a host that cannot be found now") from None
        except OSError:
            raise UrlUnresolved("names a host that cannot be found now") from None
        except ValueError:  # a label too long for the system's resolver
            raise HostUnknown("names a host that cannot exist") from None

    def _is_allowed(self, text: str) -> bool:
        """Whether the IP address and those embedded in it are public, or one of them is in an allowed
        network."""
        return self._is_in_networks(text) or all(map(_is_public, _targets(text)))

    def _is_in_networks(self, text: str) -> bool:
        return any(target in network for target in _targets(text) for network in self._rules.networks)


def parse(url: str) -> httpx.URL:
    """Parse a URL and check all that can be checked without resolving its name. Raises UrlRefused."""
    if len(url) > MAX_LENGTH:
        raise UrlRefused(f"must not be longer than {MAX_LENGTH} characters")
    shape = _SHAPE.fullmatch(url)
    if not (shape and _PRINTABLE.fullmatch(url)):
        raise UrlRefused("must be an https address, in ASCII and without a part after #")
    if "@" in shape["authority"]:
        raise UrlRefused("must not hold a user name or password")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise UrlRefused("is no web address") from None
    if not (_HOST.fullmatch(_name(parsed)) and _port(parsed) <= MAX_PORT):
        raise UrlRefused("is no web address")
    if _port(parsed) not in _WEB_PORTS and _port(parsed) < _FIRST_UNPRIVILEGED_PORT:
        raise UrlRefused("must use port 443, 80, or one from 1024 on")
    return parsed


def host_of(url: str) -> str:
    """Host name and port, such as "example.com:443". Raises UrlRefused."""
    parsed = parse(url)
    return f"{_name(parsed).lower().rstrip('.')}:{_port(parsed)}"


def origin_of(url: str) -> str:
    """The part of a URL that may be shown: path and query can contain a secret. Raises UrlRefused."""
    parsed = parse(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


def _name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return (443 if url.scheme == "https" else 80) if url.port is None else url.port


def _targets(text: str) -> list[Address]:
    """The IP address, and those that are embedded in it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return [address, *_embedded_ipv4(address)]


def _embedded_ipv4(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address stands for, to which a router may translate it."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    teredo = address.teredo or ()
    candidates = [address.ipv4_mapped, address.sixtofour, *teredo]
    if address in _NAT64:
        candidates.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from filter(None, candidates)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return True  # the embedded address is checked
        if address.is_site_local:
            return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    listed = any(address in network for network in _NEVER_PUBLIC if network.version == address.version)
    return address.is_global and not (special or listed or address.is_link_local)
