"""Who is spoken to: what messages call a host and its settings, and which errors its failures are."""

from __future__ import annotations

from dataclasses import dataclass, field

from gencode.domain.errors import StartError
from gencode.githosts.errors import (
    GitHubAuth,
    GitHubForbidden,
    GitHubInvalid,
    GitHubNetwork,
    GitHubOrg,
    GitHubProtocol,
    GitHubRateLimit,
    GitHubUnavailable,
    HostAuth,
    HostForbidden,
    HostInvalid,
    HostNetwork,
    HostOrg,
    HostProtocol,
    HostRateLimit,
    HostUnavailable,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostErrors:
    """GitHub's codes were there first and stay; all other hosts share one family."""

    auth: type[HostAuth] = HostAuth
    forbidden: type[HostForbidden] = HostForbidden
    org: type[HostOrg] = HostOrg
    invalid: type[HostInvalid] = HostInvalid
    rate_limit: type[HostRateLimit] = HostRateLimit
    unavailable: type[HostUnavailable] = HostUnavailable
    network: type[HostNetwork] = HostNetwork
    protocol: type[HostProtocol] = HostProtocol


GITHUB_FAILURES = HostErrors(
    auth=GitHubAuth,
    forbidden=GitHubForbidden,
    org=GitHubOrg,
    invalid=GitHubInvalid,
    rate_limit=GitHubRateLimit,
    unavailable=GitHubUnavailable,
    network=GitHubNetwork,
    protocol=GitHubProtocol,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostProfile:
    """One configured host.

    label    its name in the settings; in logs and metrics
    name     what a reader calls it, such as GitLab
    address  the setting that says where it is
    token    the setting that holds its token
    """

    label: str
    name: str
    address: str
    token: str
    failures: HostErrors = field(default=HostErrors(), repr=False)

    def prove(self, token: str) -> None:
        """Raises StartError for a token that cannot be sent; a library's own error would show it."""
        if not (token.isascii() and token.isprintable()):
            raise StartError(f"{self.token} has characters that no header can carry; set it anew")


def github_profile(label: str = "github") -> HostProfile:
    """GitHub as the GITHUB_* settings mean it."""
    return HostProfile(
        label=label,
        name="GitHub",
        address="GITHUB_API_URL",
        token="GITHUB_TOKEN",
        failures=GITHUB_FAILURES,
    )


def named_profile(label: str, name: str) -> HostProfile:
    """An entry of HOSTS."""
    return HostProfile(
        label=label,
        name=name,
        address=f'the url of "{label}" in HOSTS',
        token=f'the token of "{label}" in HOSTS',
    )
