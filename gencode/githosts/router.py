"""Several hosts as one: each repository goes where it was meant to go, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gencode.githosts.errors import HostUnknown
from gencode.githosts.port import GitHost, Repository, RepositorySpec, Snapshot


class HostRouter:
    """Implements `gencode.githosts.port.Host`. `default` is for tasks that were accepted before hosts had names."""

    def __init__(self, hosts: Mapping[str, GitHost], default: str) -> None:
        self._hosts = dict(hosts)
        self._default = default

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        name, host = self._meant(spec.host)
        return replace(await host.create(spec, snapshot), host=name)

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        return await self._meant(repo.host)[1].push(repo, snapshot)

    def _meant(self, asked: str) -> tuple[str, GitHost]:
        """Never another one in its place: the settings may have changed since the task was accepted."""
        name = asked or self._default
        if name not in self._hosts:
            raise HostUnknown(
                f"this task is for the Git host {name!r}, which is not configured any more: configure it "
                "again and retry the task, or submit a new one"
            )
        return name, self._hosts[name]
