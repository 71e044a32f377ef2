"""Origins of URLs (scheme, host, port): the token is sent to no other origin than the configured one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gencode.domain.errors import StartError

# Deliberately strict: all URL parsers agree about a URL that matches, so that none of them can be made to see
# another host.
_PLAIN_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[a-z0-9._~%/-]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Scheme, host and port of a URL (RFC 6454); scheme and host are in lower case."""

    scheme: str
    host: str
    port: int

    def owns(self, url: str) -> bool:
        """Whether the URL has this origin and neither credentials nor a query."""
        return origin_of(url) == self


def origin_of(url: str) -> Origin | None:
    """None for anything but a plain http(s) URL without credentials, query or fragment."""
    match = _PLAIN_URL.fullmatch(url)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"] or (443 if scheme == "https" else 80))
    return Origin(scheme=scheme, host=match["host"].lower(), port=port)


def require_origin(url: str, setting: str, example: str) -> Origin:
    """Raises StartError, which names the setting, for anything but a plain http(s) URL."""
    found = origin_of(url)
    if found is None:
        raise StartError(f"{setting} must be an address like {example}, nothing added")
    return found


def github_web_origin(api_url: str, setting: str = "GITHUB_API_URL") -> Origin:
    """The origin of the repositories that GitHub's API returns: https://api.github.com -> https://github.com
    (likewise SUBDOMAIN.ghe.com), https://HOST/api/v3 -> https://HOST. Raises StartError."""
    api = require_origin(api_url, setting, "https://api.github.com")
    if api_url.partition("://")[2].rstrip("/").count("/"):
        return api
    return replace(api, host=api.host.removeprefix("api."))
