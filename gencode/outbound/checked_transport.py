"""A transport that sends requests only to URLs that a policy allows, and only to the IP addresses that it has
checked."""

from __future__ import annotations

import anyio
import httpx

from gencode.outbound.url_policy import (
    MAX_TRIED_ADDRESSES,
    ResolvedUrl,
    UrlPolicy,
    UrlRefused,
    UrlUnresolved,
)

_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)


class AddressRefused(httpx.TransportError):
    """The policy refuses the URL; nothing was sent. The text continues a sentence: "must be an https
    address"."""


class CheckedTransport(httpx.AsyncBaseTransport):
    """Resolves the host of each request by the policy, and hands the request on with the IP address in its
    URL. The name stays in the header `Host` and in the extension `sni_hostname`, by which the certificate is
    checked. So a name that resolves differently a moment later has no effect, nor what a proxy resolves; and
    a redirect is checked like any other request.

    inner  finds open connections also by `sni_hostname`: two names may have one IP address
    """

    def __init__(self, policy: UrlPolicy, inner: httpx.AsyncBaseTransport) -> None:
        self._policy = policy
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises AddressRefused."""
        target = await self._resolve(request)
        *others, last = target.addresses[:MAX_TRIED_ADDRESSES]
        for address in others:
            try:
                return await self._inner.handle_async_request(_to_address(request, address))
            except _NOT_CONNECTED:
                continue
        return await self._inner.handle_async_request(_to_address(request, last))

    async def _resolve(self, request: httpx.Request) -> ResolvedUrl:
        seconds = request.extensions.get("timeout", {}).get("connect")
        try:
            with anyio.fail_after(seconds):
                return await self._policy.resolve(str(request.url))
        except TimeoutError as error:
            raise httpx.ConnectTimeout(
                "the name of the host was not found in time", request=request
            ) from error
        except UrlUnresolved as error:
            raise httpx.ConnectError(f"the address {error}", request=request) from error
        except UrlRefused as error:
            raise AddressRefused(str(error), request=request) from error

    async def aclose(self) -> None:
        await self._inner.aclose()


def _to_address(request: httpx.Request, address: str) -> httpx.Request:
    """The request, to this IP address."""
    name = request.url.raw_host.decode("ascii")
    try:
        content, stream = request.content, None
    except httpx.RequestNotRead:
        content, stream = None, request.stream
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address.partition("%")[0]),
        headers=request.headers,
        content=content,
        stream=stream,
        extensions={**request.extensions, "sni_hostname": name},
    )
