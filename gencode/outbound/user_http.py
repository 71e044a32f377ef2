"""HTTP for addresses that users give: APIs of models, clone URLs, APIs of Git hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
import httpx

from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import HostUnknown, UrlPolicy, UrlRefused, UrlUnresolved, parse

ALLOWED_BY = "WORKSPACE_ALLOW_NETWORKS"
RESOLVE_SECONDS = 3.0
"""How long `UserHttp.refusal` waits for name servers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserClients:
    """outbound  for what makes its own clients
    http      for APIs and Git
    models    for streams of models
    """

    outbound: Outbound
    http: httpx.AsyncClient
    models: httpx.AsyncClient


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnServers:
    """`urls`: of servers of this process, which users may name although they are on loopback."""

    urls: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserHttp:
    """Clients that are made once, and shared by all principals that have the same rights.

    unrestricted     call every address: for the operator
    checked          call what the policy allows, and raise `checked_transport.AddressRefused` for the rest
    is_unrestricted  whether the principal of this id is the operator
    policy           of `checked`
    """

    unrestricted: UserClients
    checked: UserClients
    is_unrestricted: Callable[[str], bool]
    policy: UrlPolicy

    async def refusal(self, principal: str, url: str) -> str:
        """Why `checked` would refuse the address now, such as "must use port 443"; "" if it would not. A name
        that cannot be resolved now is not refused, since it may be later."""
        if self.is_unrestricted(principal):
            return ""
        try:
            parse(url)
        except UrlRefused as error:
            return str(error)
        try:
            with anyio.move_on_after(RESOLVE_SECONDS):
                await self.policy.resolve(url)
        except (UrlUnresolved, HostUnknown):
            return ""
        except UrlRefused as error:
            return f"{error}, except in the networks of {ALLOWED_BY}"
        return ""

    def outbound_for(self, principal: str) -> Outbound:
        return self._clients(principal).outbound

    def client_for(self, principal: str) -> httpx.AsyncClient:
        """For APIs and Git."""
        return self._clients(principal).http

    def model_client_for(self, principal: str) -> httpx.AsyncClient:
        return self._clients(principal).models

    def _clients(self, principal: str) -> UserClients:
        return self.unrestricted if self.is_unrestricted(principal) else self.checked
