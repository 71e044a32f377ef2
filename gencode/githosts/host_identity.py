"""The identity of a configured host: the names that messages use, and the error classes that it raises."""

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
    """The error class for each way in which a host fails."""

    auth: type[HostAuth] = HostAuth
    forbidden: type[HostForbidden] = HostForbidden
    org: type[HostOrg] = HostOrg
    invalid: type[HostInvalid] = HostInvalid
    rate_limit: type[HostRateLimit] = HostRateLimit
    unavailable: type[HostUnavailable] = HostUnavailable
    network: type[HostNetwork] = HostNetwork
    protocol: type[HostProtocol] = HostProtocol


HOST_ERRORS = HostErrors()
GITHUB_ERRORS = HostErrors(
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
class HostIdentity:
    """One configured host.

    label            its name in the settings, in logs and in metrics
    name             its name in messages, such as GitLab
    url_setting      the setting that has its URL, as messages name it
    token_setting    the setting that has its token, as messages name it
    """

    label: str
    name: str
    url_setting: str
    token_setting: str
    errors: HostErrors = field(default=HOST_ERRORS, repr=False)

    def check_token(self, token: str) -> None:
        """Raises StartError for a token that cannot be the value of a header. (The error of an HTTP library
        would contain the token.)"""
        if not (token.isascii() and token.isprintable()):
            raise StartError(f"{self.token_setting} has characters that no header can carry; set it anew")


def github_identity(label: str = "github") -> HostIdentity:
    """GitHub as configured by GITHUB_API_URL and GITHUB_TOKEN."""
    return HostIdentity(
        label=label,
        name="GitHub",
        url_setting="GITHUB_API_URL",
        token_setting="GITHUB_TOKEN",
        errors=GITHUB_ERRORS,
    )


def named_identity(label: str, name: str, errors: HostErrors = HOST_ERRORS) -> HostIdentity:
    """An entry of HOSTS."""
    return HostIdentity(
        label=label,
        name=name,
        url_setting=f'the url of "{label}" in HOSTS',
        token_setting=f'the token of "{label}" in HOSTS',
        errors=errors,
    )
