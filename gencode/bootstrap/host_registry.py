"""The registry of the Git hosts that the settings configure; chooses the host of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

import httpx

from gencode.domain.errors import Invalid, StartError
from gencode.domain.phrase import Phrase
from gencode.githosts.connection_options import WRITE_SPACING, HostOptions
from gencode.githosts.github import github_host
from gencode.githosts.host_identity import github_identity
from gencode.githosts.host_types import connect
from gencode.githosts.name_rules import ACCOUNT_RULES, FORGE, GITHUB, REPOSITORY_RULES
from gencode.githosts.port import GitHost
from gencode.githosts.router import HostRouter
from gencode.http.kind_dependencies import HostOption
from gencode.observability.metrics import Metrics
from gencode.outbound.transport import Outbound
from gencode.resilience.call_slots import CallSlots, LocalSlots, SlotFactory, account_name, local_slots
from gencode.settings import NamedHost, Settings

LOCAL = "local"
"""The embedded forge. No other host may have this name: tasks for the forge must not reach another host."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forge:
    """The URL of the embedded forge, and the token that it accepts."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpDeps:
    """The dependencies that the clients of all hosts share."""

    client: httpx.AsyncClient
    outbound: Outbound
    metrics: Metrics
    agent: str
    slots: SlotFactory = local_slots


class HostRegistry:
    """The configured hosts by name; the embedded forge if none is configured.

    Raises StartError for an invalid configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kinds = _kinds(settings)
        self.default = settings.default_host or next(iter(self._kinds))
        if self.default not in self._kinds:
            raise StartError(f"DEFAULT_HOST: {_not_configured(self.default, self._kinds)}")

    @property
    def names(self) -> list[str]:
        return list(self._kinds)

    @property
    def uses_embedded_forge(self) -> bool:
        """Whether repositories are created on the embedded forge."""
        return LOCAL in self._kinds

    def choose(self, requested: str | None, org: str | None, repo: str) -> str:
        """The name of the host for a request. Raises Invalid for a host that is not configured, and for names
        that the host does not allow."""
        name = requested or self.default
        if name not in self._kinds:
            raise Invalid.of("host", "configured", _not_configured(name, self._kinds))
        kind = self._kinds[name]
        accounts, repositories = ACCOUNT_RULES[kind], REPOSITORY_RULES[kind]
        if org and not accounts.allows(org):
            raise Invalid.of(
                "github_org",
                "account",
                Phrase("at {name} it must be {description}", name=name, description=accounts.description),
            )
        if not repositories.allows(repo):
            raise Invalid.of(
                "repo_name",
                "host",
                Phrase("at {name} it must be {description}", name=name, description=repositories.description),
            )
        return name

    def options(self) -> tuple[str, list[HostOption]]:
        """The default host, and all hosts."""
        found = [
            HostOption(name=name, kind=kind, rule=REPOSITORY_RULES[kind].description)
            for name, kind in self._kinds.items()
        ]
        return self.default, found

    def connect(self, forge: Forge | None, deps: HttpDeps) -> GitHost:
        """All configured hosts as one. `forge`: required if `uses_embedded_forge`, else None."""
        hosts = {name: self._named(name, entry, deps) for name, entry in self._settings.hosts.items()}
        if forge:
            options = self._options(self._settings.github_owner, deps, LocalSlots(1))
            hosts[LOCAL] = _github(LOCAL, f"{forge.url}/api/v3", forge.token, deps, options)
        elif self._settings.github_token:
            token = self._settings.github_token.get_secret_value()
            writes = _writes(deps, self._settings.github_api_url, token)
            options = self._options(self._settings.github_owner, deps, writes)
            hosts[GITHUB] = _github(GITHUB, self._settings.github_api_url, token, deps, options)
        return HostRouter(hosts, self.default)

    def _named(self, name: str, entry: NamedHost, deps: HttpDeps) -> GitHost:
        if entry.path:
            module = import_module("gencode.githosts.directory_host")
            host: GitHost = module.DirectoryHost(
                entry.path, label=name, url=entry.url, owner=entry.owner, metrics=deps.metrics
            )
            return host
        token = entry.token.get_secret_value()
        writes = _writes(deps, entry.url, token)
        options = self._options(entry.owner, deps, writes)
        return connect(entry.kind, name, entry.url, token, deps.client, options, user=entry.user)

    def _options(self, owner: str, deps: HttpDeps, writes: CallSlots) -> HostOptions:
        return HostOptions(
            metrics=deps.metrics,
            owner=owner or None,
            agent=deps.agent,
            push_timeout=self._settings.push_timeout,
            writes=writes,
            outbound=deps.outbound,
        )


def _writes(deps: HttpDeps, url: str, token: str) -> CallSlots:
    return deps.slots(account_name("git", url, token), 1, WRITE_SPACING)


def _github(label: str, api_url: str, token: str, deps: HttpDeps, options: HostOptions) -> GitHost:
    return github_host(api_url, token, deps.client, options, github_identity(label))


def _kinds(settings: Settings) -> dict[str, str]:
    """The kind of each host. The first one is used if neither the request nor DEFAULT_HOST names one."""
    kinds = {GITHUB: GITHUB} if settings.github_token else {}
    for name, entry in settings.hosts.items():
        if name == LOCAL or name in kinds:
            raise StartError(f'HOSTS: "{name}" is taken by this service itself; choose another name')
        accounts = ACCOUNT_RULES[entry.kind]
        if entry.owner and not accounts.allows(entry.owner):
            raise StartError(f'HOSTS: the owner of "{name}" must be {accounts.description}')
        kinds[name] = entry.kind
    return kinds or {LOCAL: FORGE}


def _not_configured(name: str, kinds: Mapping[str, str]) -> str:
    return Phrase(
        "no Git host {name!r} is configured; there is {kinds}", name=name[:100], kinds=", ".join(kinds)
    )
