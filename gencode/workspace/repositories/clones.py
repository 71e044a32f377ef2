"""The clones of this process, by the rows of their repositories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from dulwich.errors import NotGitRepository
from dulwich.repo import Repo

from gencode.domain.phrase import Phrase
from gencode.engine.keyed_locks import KeyedLocks
from gencode.githosts.fetch.bare_clone import BareClone
from gencode.githosts.fetch.client import FetchClient
from gencode.workspace.repositories.clone import Clone
from gencode.workspace.repositories.errors import CloneMissing
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.workspace import Workspace

MAX_READERS = 4
"""Calls that read clones at the same time."""
_SUFFIXES = (".git", ".partial", ".old")


class RepositoryClones:
    """See the package's docstring. `root`: the folder that holds them, of this process alone. `fetcher`:
    changes them."""

    def __init__(self, workspace: Workspace, root: Path, fetcher: FetchClient) -> None:
        self.fetcher = fetcher
        self._workspace = workspace
        self._root = root
        self._limiter = anyio.CapacityLimiter(MAX_READERS)
        self.writing = KeyedLocks()
        """Held by whoever changes the clone of a row."""

    def clone_of(self, row_id: str) -> BareClone:
        return BareClone(self._root / f"{row_id}.git")

    @asynccontextmanager
    async def open(self, row_id: str, principal: str) -> AsyncIterator[Clone]:
        """The clone of the last sync that finished. `principal`: the id of whoever reads it. Raises NotFound,
        CloneMissing."""
        row = await self._workspace.resource(GIT_REPOSITORIES).get(row_id, principal)
        repository = await anyio.to_thread.run_sync(self._opened, row, limiter=self._limiter)
        try:
            yield Clone(repository, self._limiter)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(repository.close)

    async def present(self) -> set[str]:
        """The ids of the rows of which anything is on the disk."""
        return {path.stem for path in await anyio.to_thread.run_sync(self._present)}

    async def remove(self, row_id: str) -> None:
        async with self.writing(row_id):
            await anyio.to_thread.run_sync(self.clone_of(row_id).remove)

    def _opened(self, row: GitRepository) -> Repo:
        clone = self.clone_of(row.id)
        if clone.source() == source_of(row):
            try:
                return Repo(str(clone.path), bare=True)
            except (NotGitRepository, OSError):
                pass
        raise CloneMissing(
            Phrase(
                "there is no clone of the repository {name!r} in this process: sync it, then try again",
                name=row.name,
            )
        )

    def _present(self) -> list[Path]:
        folder = self._root
        return [path for path in folder.iterdir() if path.suffix in _SUFFIXES] if folder.is_dir() else []


def source_of(row: GitRepository) -> str:
    """By what the clone knows that it is of this address."""
    path = row.repository_url.partition("://")[2].partition("/")[2]
    return f"local:/{path}" if row.is_local else row.repository_url
