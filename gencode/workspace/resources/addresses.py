"""Refuses addresses that this service would not call, before they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from gencode.domain.errors import Invalid
from gencode.githosts.origins import origin_of
from gencode.http.dependencies import get_extension, get_principal
from gencode.outbound.user_http import OwnServers, UserHttp
from gencode.workspace.resources.declaration import Resource


async def check_addresses(request: Request, resource: Resource[Any, Any], values: Mapping[str, Any]) -> None:
    """`values`: of the body. It is checked again at each call: names may lead elsewhere then. Raises
    Invalid."""
    for field in resource.addresses:
        url = values.get(field)
        if url and not _is_own(request, url):
            refusal = await get_extension(request, UserHttp).refusal(get_principal(request).id, url)
            if refusal:
                raise Invalid.of(field, "address", refusal)


def _is_own(request: Request, url: str) -> bool:
    own = get_extension(request, OwnServers).urls
    return origin_of(url) in [origin_of(one) for one in own]
