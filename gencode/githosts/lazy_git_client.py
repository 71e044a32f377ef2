"""A Git client that is imported for its first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from gencode.githosts.connection_options import HostOptions
from gencode.githosts.port import Snapshot

if TYPE_CHECKING:
    from gencode.githosts.git_client import GitClient


class LazyGitClient:
    """See GitClient. dulwich is imported in a thread, when the first task pushes."""

    def __init__(self, options: HostOptions, user: str) -> None:
        self._options = options
        self._user = user
        self._client: GitClient | None = None

    async def push(self, url: str, token: str, snapshot: Snapshot) -> str:
        """See GitClient.push."""
        return await (await self._imported()).push(url, token, snapshot, user=self._user)

    async def refs(self, url: str, token: str) -> dict[str, str]:
        """See GitClient.refs."""
        return await (await self._imported()).refs(url, token, user=self._user)

    async def commit_sha(self, snapshot: Snapshot) -> str:
        """The SHA of the snapshot's commit."""
        return await anyio.to_thread.run_sync(_commit_sha, snapshot)

    async def _imported(self) -> GitClient:
        if self._client is None:
            module = await anyio.to_thread.run_sync(import_module, "gencode.githosts.git_client")
            self._client = self._made(module)
        return self._client

    def _made(self, module: Any) -> GitClient:
        """Another task may have made it meanwhile."""
        options = self._options
        client: GitClient = self._client or module.GitClient(
            timeout=options.push_timeout, agent=options.agent, outbound=options.outbound, sleep=options.sleep
        )
        return client


def _commit_sha(snapshot: Snapshot) -> str:
    sha: str = import_module("gencode.githosts.commit").commit_sha(snapshot)
    return sha
