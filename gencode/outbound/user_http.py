"""HTTP for addresses that users give: APIs of models, clone URLs, APIs of Git hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from gencode.outbound.transport import Outbound


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
class UserHttp:
    """Clients that are made once, and shared by all principals that have the same rights.

    unrestricted     call every address: for the operator
    checked          call what the policy allows, and raise `checked_transport.AddressRefused` for the rest
    is_unrestricted  whether the principal of this id is the operator
    """

    unrestricted: UserClients
    checked: UserClients
    is_unrestricted: Callable[[str], bool]

    def outbound_for(self, principal: str) -> Outbound:
        return self._clients(principal).outbound

    def client_for(self, principal: str) -> httpx.AsyncClient:
        """For APIs and Git."""
        return self._clients(principal).http

    def model_client_for(self, principal: str) -> httpx.AsyncClient:
        return self._clients(principal).models

    def _clients(self, principal: str) -> UserClients:
        return self.unrestricted if self.is_unrestricted(principal) else self.checked
