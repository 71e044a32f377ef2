"""Parses OUTBOUND_PROXY and NO_PROXY: the proxies of outbound requests."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Annotated
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from pydantic import AfterValidator, SecretStr

from gencode.outbound.proxies import DIRECT, ProxyRules, parse_proxy

ENVIRONMENT = "environment"
"""The value of OUTBOUND_PROXY that stands for HTTPS_PROXY, HTTP_PROXY and ALL_PROXY of the process."""
_SCHEMES = ("http", "https")


def proxy_rules(outbound_proxy: str, no_proxy: str) -> ProxyRules:
    """The two settings, parsed. Raises ValueError."""
    if not outbound_proxy:
        return DIRECT
    found = _of_environment() if outbound_proxy == ENVIRONMENT else dict.fromkeys(_SCHEMES, outbound_proxy)
    return ProxyRules(
        by_scheme={scheme: parse_proxy(url).geturl() for scheme, url in found.items() if url},
        no_proxy=tuple(entry for entry in re.split(r"[,\s]+", no_proxy) if entry),
    )


def proxy_secrets(rules: ProxyRules) -> list[str]:
    """The passwords of the proxies: decoded, percent-encoded as in the URLs, and encoded as in the header."""
    found: list[str] = []
    for parts in map(urlsplit, rules.by_scheme.values()):
        written = parts.password or ""
        user, password = unquote(parts.username or ""), unquote(written)
        if password:
            found += [written, password, b64encode(f"{user}:{password}".encode()).decode("ascii")]
    return found


def _of_environment() -> dict[str, str]:
    found = getproxies_environment()
    return {scheme: found.get(scheme) or found.get("all", "") for scheme in _SCHEMES}


def _outbound_proxy(value: SecretStr) -> SecretStr:
    proxy_rules(value.get_secret_value(), "")
    return value


OutboundProxy = Annotated[SecretStr, AfterValidator(_outbound_proxy)]
