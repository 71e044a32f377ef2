"""Connections through a proxy by CONNECT."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import unquote, urlsplit

import anyio
from anyio.abc import ByteStream

MAX_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class ProxyRefused(OSError):
    """The proxy did not open the tunnel."""


async def open_tunnel(proxy: str, host: str, port: int) -> ByteStream:
    """A connection to `host`, a name or an IP address, through the proxy with this URL. Raises OSError, and
    what anyio's streams raise when the connection breaks."""
    parts = urlsplit(proxy)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    stream = await anyio.connect_tcp(parts.hostname or "", parts.port or 80)
    try:
        await stream.send(
            f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{_credentials(proxy)}\r\n".encode()
        )
        await _check_response(stream)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise
    return stream


async def _check_response(stream: ByteStream) -> None:
    """Read the head of the response. Nothing follows it, because the target waits for our first byte."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await stream.receive()
        if len(head) > MAX_HEAD:
            raise ProxyRefused("the proxy sent more than the head of a response")
    status = _STATUS.match(head)
    if not (status and status[1].startswith(b"2")):
        raise ProxyRefused(f"the proxy answered {status[1].decode() if status else 'no HTTP'}")


def _credentials(proxy: str) -> str:
    parts = urlsplit(proxy)
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode('ascii')}\r\n"
