"""Several Git hosts as one: each repository is created on and pushed to the host that its task names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gencode.githosts.errors import HostUnknown
from gencode.githosts.port import GitHost, Repository, RepositorySpec, RepositoryState, Snapshot


class HostRouter:
    """Implements `gencode.githosts.port.GitHost`.

    default  the host of tasks that name none: they were accepted before hosts had names
    """

    def __init__(self, hosts: Mapping[str, GitHost], default: str) -> None:
        self._hosts = dict(hosts)
        self._default = default

    async def check(self, spec: RepositorySpec) -> None:
        _, host = self._resolve(spec.host)
        await host.check(spec)

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        name, host = self._resolve(spec.host)
        return replace(await host.create(spec, snapshot), host=name)

    async def state(self, repo: Repository) -> RepositoryState | None:
        _, host = self._resolve(repo.host)
        return await host.state(repo)

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        _, host = self._resolve(repo.host)
        return await host.push(repo, snapshot)

    def _resolve(self, requested: str) -> tuple[str, GitHost]:
        """Never falls back to another host: the settings may have changed since the task was accepted."""
        name = requested or self._default
        if name not in self._hosts:
            raise HostUnknown(
                f"this task is for the Git host {name!r}, which is not configured any more: configure it "
                "again and retry the task, or submit a new one"
            )
        return name, self._hosts[name]
