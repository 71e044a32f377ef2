"""Makes the HTTP clients for addresses that users give."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from gencode.bootstrap.process_roles import Role
from gencode.domain.principal import LOCAL
from gencode.githosts.http_client import http_client
from gencode.llm.http_client import model_client
from gencode.outbound.transport import Outbound
from gencode.outbound.url_policy import Resolve, Resolver, UrlPolicy, UrlRules
from gencode.outbound.user_http import UserClients, UserHttp
from gencode.settings import Settings, is_loopback

MAX_RESOLVED_NAMES = 64
"""The most names of users that are resolved at the same time."""


async def open_user_http(
    stack: AsyncExitStack,
    settings: Settings,
    role: Role,
    outbound: Outbound,
    is_key_required: Callable[[], bool],
    resolve: Resolve | None = None,
) -> UserHttp:
    """`resolve` replaces the system's resolver; `is_key_required`: whether requests need credentials now."""
    rules = UrlRules(networks=settings.workspace_networks, http_in_networks=True)
    policy = UrlPolicy(rules, resolve or Resolver(MAX_RESOLVED_NAMES))
    is_private = role is Role.ALL and settings.auth != "none" and is_loopback(settings.server_host)

    def is_unrestricted(principal: str) -> bool:
        """Whoever reaches a service without credentials on loopback could as well configure it."""
        return is_private and principal == LOCAL.id and not is_key_required()

    return UserHttp(
        unrestricted=await _clients(stack, outbound),
        checked=await _clients(stack, replace(outbound, policy=policy)),
        is_unrestricted=is_unrestricted,
        policy=policy,
    )


async def _clients(stack: AsyncExitStack, outbound: Outbound) -> UserClients:
    return UserClients(
        outbound=outbound,
        http=await stack.enter_async_context(http_client(outbound)),
        models=await stack.enter_async_context(model_client(outbound)),
    )
