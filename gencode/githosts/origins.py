"""Which addresses a host's answers may name: the token is sent nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gencode.domain.errors import StartError

# Strict on purpose: two URL parsers agree on what matches this, so none can be led to another host.
_PLAIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[a-z0-9._~%/-]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    scheme: str
    host: str
    port: int

    def owns(self, url: str) -> bool:
        """Whether a URL, without credentials or query, lies at this very scheme, host and port."""
        return origin(url) == self


def origin(url: str) -> Origin | None:
    """None for anything but a plain http(s) address."""
    found = _PLAIN.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    port = int(found["port"] or (443 if scheme == "https" else 80))
    return Origin(scheme=scheme, host=found["host"].lower(), port=port)


def plain(url: str, setting: str, example: str) -> Origin:
    """Raises StartError, which names the setting, for an address that no token may follow."""
    found = origin(url)
    if found is None:
        raise StartError(f"{setting} must be an address like {example}, nothing added")
    return found


def web_origin(api_url: str, setting: str = "GITHUB_API_URL") -> Origin:
    """Where the repositories of GitHub's API are: https://api.github.com -> https://github.com (and so on
    SUBDOMAIN.ghe.com), https://HOST/api/v3 -> https://HOST. Raises StartError for no such address."""
    api = plain(api_url, setting, "https://api.github.com")
    if api_url.partition("://")[2].rstrip("/").count("/"):
        return api
    return replace(api, host=api.host.removeprefix("api."))
