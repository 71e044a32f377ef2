"""An httpx transport whose every connection is a tunnel (CONNECT) through a proxy."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from collections.abc import Iterable

import httpcore
import httpx

MAX_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})([^\r\n]*)\r?\n")


class TunnelTransport(httpx.AsyncHTTPTransport):
    """The proxy connects to the host of the URL, and TLS is as on a direct connection: the certificate must
    be for the extension `sni_hostname`. httpx's own proxies support no URL with an IP address in place of
    the name. No connection is reused."""

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=_Tunnels(proxy),
        )


class _Tunnels(httpcore.AsyncNetworkBackend):
    def __init__(self, proxy: httpx.Proxy) -> None:
        self._proxy = proxy
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        url = self._proxy.url
        stream = await self._network.connect_tcp(url.host, url.port or 80, timeout)
        try:
            await stream.write(
                self._request(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"), timeout
            )
            await _check_response(stream, timeout)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    def _request(self, target: str) -> bytes:
        credentials = ""
        if auth := self._proxy.raw_auth:
            credentials = f"Proxy-Authorization: Basic {b64encode(b':'.join(auth)).decode('ascii')}\r\n"
        return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n".encode("ascii")


async def _check_response(stream: httpcore.AsyncNetworkStream, timeout: float | None) -> None:
    """Read the head of the response. Nothing may follow it: the other side waits for our first byte."""
    head = b""
    while not (head.endswith(b"\r\n\r\n") or len(head) > MAX_HEAD):
        data = await stream.read(MAX_HEAD, timeout)
        if not data:
            break
        head += data
    status = _STATUS.match(head)
    if not (status and status[1].startswith(b"2") and head.endswith(b"\r\n\r\n")):
        reason = (status[1] + status[2]).decode("ascii", "replace") if status else "no HTTP response"
        raise httpcore.ProxyError(reason)
