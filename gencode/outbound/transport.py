"""httpx transports that send each request directly or through the proxy for its target."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from gencode.outbound.checked_transport import CheckedTransport
from gencode.outbound.lazy_transport import LazyTransport
from gencode.outbound.proxies import DIRECT, ProxyRules
from gencode.outbound.url_policy import UrlPolicy

MakeTransport = Callable[[httpx.Proxy | None], httpx.AsyncBaseTransport]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbound:
    """tls      the certificate authorities that are trusted
    proxies  which requests go through a proxy
    policy   of addresses that users give; None: the operator configured the addresses
    """

    tls: ssl.SSLContext = field(default_factory=httpx.create_ssl_context)
    proxies: ProxyRules = DIRECT
    policy: UrlPolicy | None = None

    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport that ignores the environment's settings. httpx's own finds open connections by the IP
        address alone, and names it to the other end of a proxy's tunnel, so checked requests use aiohttp."""
        if self.policy:
            return self.routed(lambda proxy: LazyTransport(self.tls, proxy))
        return self.routed(
            lambda proxy: httpx.AsyncHTTPTransport(verify=self.tls, trust_env=False, proxy=proxy)
        )

    def routed(self, make: MakeTransport) -> httpx.AsyncBaseTransport:
        """A transport that routes requests over the transports that `make` returns for each proxy (None:
        direct). With a policy, they find open connections by IP address and `sni_hostname`."""
        routed = RoutedTransport(self.proxies, make) if self.proxies.by_scheme else make(None)
        return CheckedTransport(self.policy, routed) if self.policy else routed


class RoutedTransport(httpx.AsyncBaseTransport):
    """Has a transport for each proxy and one for direct requests, each created when it is first needed.

    A request to an IP address is also routed by the name in its extension `sni_hostname`.
    """

    def __init__(self, rules: ProxyRules, make: MakeTransport) -> None:
        self._rules = rules
        self._make = make
        self._transports: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.extensions.get("sni_hostname")
        url, names = request.url, (name,) if name else ()
        proxy = self._rules.proxy_for(url.scheme, url.port, url.host, *names)
        try:
            return await self._transport(proxy).handle_async_request(request)
        except httpx.ProxyError as error:
            reason = str(error) or "it gave no reason"
            raise httpx.ProxyError(f"the proxy refused the connection: {reason}", request=request) from error

    def _transport(self, proxy: str) -> httpx.AsyncBaseTransport:
        if proxy not in self._transports:
            self._transports[proxy] = self._make(httpx.Proxy(proxy) if proxy else None)
        return self._transports[proxy]

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
