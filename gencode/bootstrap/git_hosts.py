"""From settings to Git hosts: which are configured, and which of them a request means."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from gencode.domain.errors import Invalid, StartError
from gencode.githosts.directory import DirectoryHost
from gencode.githosts.github import GitHub
from gencode.githosts.port import GitHost
from gencode.githosts.profile import github_profile
from gencode.githosts.router import HostRouter
from gencode.githosts.types import ACCOUNTS, GITHUB, REPOSITORIES, connect
from gencode.observability.metrics import Metrics
from gencode.resilience.retry import Retry
from gencode.settings import NamedHost, Settings

LOCAL = "local"
"""The embedded forge; nothing else may be called so, since its tasks must not go elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forge:
    """Where the embedded forge listens, and what it takes for a token."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpDeps:
    """What all hosts are reached by."""

    client: httpx.AsyncClient
    tls: ssl.SSLContext
    metrics: Metrics
    agent: str


class HostRegistry:
    """The configured hosts by name. With none at all, the embedded forge.

    Raises StartError for a configuration that cannot work.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kinds = _kinds(settings)
        self.default = settings.default_host or next(iter(self._kinds))
        if self.default not in self._kinds:
            raise StartError(f"DEFAULT_HOST: {_none_such(self.default, self._kinds)}")

    @property
    def names(self) -> list[str]:
        return list(self._kinds)

    @property
    def embedded(self) -> bool:
        """Whether repositories go to the local forge."""
        return LOCAL in self._kinds

    def choose(self, asked: str | None, org: str | None, repo: str) -> str:
        """The name of the host for a request, which can only choose among those that the operator
        configured. Raises Invalid for another one, and for names that it cannot have."""
        name = asked or self.default
        if name not in self._kinds:
            raise _invalid("host", "configured", _none_such(name, self._kinds))
        accounts, repositories = ACCOUNTS[self._kinds[name]], REPOSITORIES[self._kinds[name]]
        if org and not accounts.allows(org):
            raise _invalid("github_org", "account", f"at {name} it must be {accounts.words}")
        if not repositories.allows(repo):
            raise _invalid("repo_name", "host", f"at {name} it must be {repositories.words}")
        return name

    def connect(self, forge: Forge | None, reach: HttpDeps) -> GitHost:
        """`forge`: running exactly if `embedded`."""
        found = {name: self._named(name, entry, reach) for name, entry in self._settings.hosts.items()}
        if forge:
            found[LOCAL] = self._github(LOCAL, f"{forge.url}/api/v3", forge.token, reach, spacing=0)
        elif self._settings.github_token:
            token = self._settings.github_token.get_secret_value()
            found[GITHUB] = self._github(GITHUB, self._settings.github_api_url, token, reach)
        return HostRouter(found, self.default)

    def _github(self, name: str, api_url: str, token: str, reach: HttpDeps, **more: Any) -> GitHost:
        options = self._options(self._settings.github_owner, reach)
        profile = github_profile(name)
        return GitHub(api_url, token, reach.client, Retry(), profile=profile, **options, **more)

    def _named(self, name: str, entry: NamedHost, reach: HttpDeps) -> GitHost:
        if entry.path:
            return DirectoryHost(
                entry.path, label=name, url=entry.url, owner=entry.owner, metrics=reach.metrics
            )
        token = entry.token.get_secret_value()
        options = self._options(entry.owner, reach)
        return connect(entry.kind, name, entry.url, token, reach.client, Retry(), user=entry.user, **options)

    def _options(self, owner: str, reach: HttpDeps) -> dict[str, Any]:
        return {
            "metrics": reach.metrics,
            "owner": owner or None,
            "agent": reach.agent,
            "push_timeout": self._settings.push_timeout,
            "tls": reach.tls,
        }


def _kinds(settings: Settings) -> dict[str, str]:
    """The kind of each host; first the one that is meant when neither request nor DEFAULT_HOST names one."""
    found = {GITHUB: GITHUB} if settings.github_token else {}
    for name, entry in settings.hosts.items():
        if name == LOCAL or name in found:
            raise StartError(f'HOSTS: "{name}" is taken by this service itself; choose another name')
        accounts = ACCOUNTS[entry.kind]
        if entry.owner and not accounts.allows(entry.owner):
            raise StartError(f'HOSTS: the owner of "{name}" must be {accounts.words}')
        found[name] = entry.kind
    return found or {LOCAL: GITHUB}


def _none_such(name: str, kinds: Mapping[str, str]) -> str:
    return f"no Git host {name[:100]!r} is configured; there is {', '.join(kinds)}"


def _invalid(where: str, rule: str, message: str) -> Invalid:
    return Invalid(f"{where}: {message}", [{"field": where, "rule": rule, "message": message}])
