"""The host of a credential: where its token may be sent, and by which user name."""

from __future__ import annotations

from gencode.githosts.host_types import default_url, git_user, web_origin
from gencode.githosts.origins import Origin, origin_of
from gencode.githosts.smart_http import DEFAULT_USER
from gencode.workspace.git_credentials.table import GitCredential, GitProvider

_API_PATHS = {
    GitProvider.GITLAB: "/api/v4",
    GitProvider.GITEE: "/api/v5",
    GitProvider.GITEA: "/api/v1",
    GitProvider.FORGEJO: "/api/v1",
    GitProvider.BITBUCKET: "/2.0",
}
"""Ends of addresses that users take for the address of the host."""


def needs_address(provider: GitProvider) -> bool:
    """Whether there is no central server that could be meant."""
    return provider is GitProvider.GENERIC or default_url(provider) is None


def host_address(provider: GitProvider, api_url: str | None) -> str:
    """The address of the host's web pages (GitHub: also that of its API); "" for the provider's own."""
    address = (api_url or "").rstrip("/")
    return address.removesuffix(_API_PATHS.get(provider, "")) if address else ""


def repository_origin(credential: GitCredential) -> Origin | None:
    """The origin of repositories that the token is for: it is sent to no other. None for an address that is
    none."""
    provider = GitProvider(credential.provider)
    address = host_address(provider, credential.api_url)
    return origin_of(address) if provider is GitProvider.GENERIC else web_origin(provider, address)


def password_user(credential: GitCredential) -> str:
    """The user name whose password the token is, for Git."""
    provider = GitProvider(credential.provider)
    if provider is GitProvider.GENERIC:
        return credential.git_username or DEFAULT_USER
    return git_user(provider, credential.git_username)
