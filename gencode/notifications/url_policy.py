"""Which addresses of the Internet may be called.

A client names the address and this service, which stands inside somebody's network, calls it: without rules
a callback would reach what its sender cannot (server-side request forgery). A name is judged by what it leads
to, and whoever calls connects to exactly what was judged: a name that leads elsewhere a moment later (DNS
rebinding) gains nothing.
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

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to addresses. Raises OSError."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST = 2048
LAST_PORT = 65535
_PRINTABLE = re.compile(r"[!-~]+")
_SHAPE = re.compile(r"https?://(?P<authority>[^/?#\\]+)([/?][^#]*)?", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]+", re.IGNORECASE)
_USUAL_PORTS = (80, 443)
_FIRST_FREE_PORT = 1024
"""Below it wait mail, name and login servers, which can be made to take HTTP for a protocol of their own."""
_ABSENT = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "64:ff9b:1::/48",  # NAT64 for a network's own use
            "168.63.129.16/32",  # Azure's host, from inside of each machine
            "192.0.0.0/24",  # for protocols' own use; 192.0.0.192 tells machines of a cloud their secrets
            "192.88.99.0/24",  # relays into 6to4
            "3fff::/20",  # for documentation
            "::/96",  # addresses of IPv4 in a form that was given up
        ),
    )
)
"""What `ipaddress` takes for public and is not, or not in each of its versions."""


class UrlRefused(Exception):
    """This address is not called; the text tells its client why, and nothing of our network."""


class UrlUnresolved(UrlRefused):
    """The name cannot be judged now, since no name server answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UrlRules:
    """networks   may be called although they are not public
    http       whether plain HTTP may be spoken
    """

    networks: Sequence[Network] = ()
    http: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedUrl:
    """An address that was judged. `hosts`: IP addresses to connect to, in the order in which to try them."""

    url: httpx.URL
    hosts: Sequence[str]


class Resolver:
    """Asks the system's resolver, in threads of its own: slow name servers of clients must not fill those in
    which the names of models are looked up."""

    def __init__(self, at_once: int = 8) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)

    async def __call__(self, host: str, port: int) -> list[str]:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await anyio.to_thread.run_sync(ask, limiter=self._limiter, abandon_on_cancel=True)
        return [str(address[0]) for *_, address in found]


class UrlPolicy:
    """Called with a URL: where it leads. Raises Refused."""

    def __init__(self, rules: UrlRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve

    async def __call__(self, url: str) -> ResolvedUrl:
        parsed = parse(url)
        if parsed.scheme == "http" and not self._rules.http:
            raise UrlRefused("must be an https address")
        hosts = list(dict.fromkeys(await self._addresses(parsed)))
        if not (hosts and all(self._may_be_called(host) for host in hosts)):
            raise UrlRefused("leads to an address that is not public, which this service does not call")
        return ResolvedUrl(url=parsed, hosts=hosts)

    async def _addresses(self, url: httpx.URL) -> Sequence[str]:
        try:
            return await self._resolve(_name(url), _port(url))
        except socket.gaierror as error:
            if error.errno in _ABSENT:
                raise UrlRefused("names a host that does not exist") from None
            raise UrlUnresolved("names a host that cannot be found now") from None
        except OSError:
            raise UrlUnresolved("names a host that cannot be found now") from None
        except ValueError:  # a label too long for the system's resolver
            raise UrlRefused("names a host that cannot exist") from None

    def _may_be_called(self, host: str) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        meant = [address, *_inside(address)]
        allowed = any(one in network for one in meant for network in self._rules.networks)
        return allowed or all(map(_is_public, meant))


def parse(url: str) -> httpx.URL:
    """What can be judged before any name is looked up. Raises Refused."""
    if len(url) > LONGEST:
        raise UrlRefused(f"must not be longer than {LONGEST} characters")
    shape = _SHAPE.fullmatch(url)
    if not (shape and _PRINTABLE.fullmatch(url)):
        raise UrlRefused("must be an https address, in ASCII and without a part after #")
    if "@" in shape["authority"]:
        raise UrlRefused("must not hold a user name or password; the signature tells who calls")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise UrlRefused("is no web address") from None
    if not (_HOST.fullmatch(_name(parsed)) and _port(parsed) <= LAST_PORT):
        raise UrlRefused("is no web address")
    if _port(parsed) not in _USUAL_PORTS and _port(parsed) < _FIRST_FREE_PORT:
        raise UrlRefused("must use port 443, 80, or one from 1024 on")
    return parsed


def host_of(url: str) -> str:
    """Name and port, such as "example.com:443". Raises Refused."""
    parsed = parse(url)
    return f"{_name(parsed).lower().rstrip('.')}:{_port(parsed)}"


def origin_of(url: str) -> str:
    """What may be shown of an address: path and query can hold a secret. Raises Refused."""
    parsed = parse(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


def _name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return (443 if url.scheme == "https" else 80) if url.port is None else url.port


def _inside(address: Address) -> Iterator[Address]:
    """The addresses of IPv4 that one of IPv6 stands for; routers may take them out."""
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
            return True  # the address inside is judged
        if address.is_site_local:
            return False
    outside = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    special = any(address in network for network in _NEVER_PUBLIC if network.version == address.version)
    return address.is_global and not (outside or special or address.is_link_local)
