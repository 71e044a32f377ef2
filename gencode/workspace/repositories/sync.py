"""Brings the clone of a repository to what its host has, and says so in its row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from sqlalchemy import ColumnElement, select, true, update

from gencode.domain.errors import NotFound
from gencode.githosts.errors import GitNetwork
from gencode.githosts.fetch.client import Fetched
from gencode.githosts.fetch.limits import FetchProgress
from gencode.githosts.fetch.transport import Remote
from gencode.http.kind_dependencies import KindDependencies
from gencode.outbound.user_http import UserHttp
from gencode.workspace.git_credentials.hosts import password_user
from gencode.workspace.git_credentials.resource import GIT_CREDENTIALS
from gencode.workspace.repositories.clones import RepositoryClones, source_of
from gencode.workspace.repositories.credentials import credential_of
from gencode.workspace.repositories.errors import CloneMissing, RefUnknown, RepositoryUnusable
from gencode.workspace.repositories.local_forge import LocalForge
from gencode.workspace.repositories.resource import GIT_REPOSITORIES
from gencode.workspace.repositories.table import SYNC_TASKS, GitRepository, SyncStatus
from gencode.workspace.tables import now
from gencode.workspace.task_failures import failure_of
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.workspace import Workspace

MAX_BRANCHES = 1000
"""Branches whose commits the row has; the clone has all."""
_HEADS = b"refs/heads/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """What a sync found.

    head_commit  of the row's branch, else of the default branch; None if there is none
    left_out     refs whose names are not valid
    objects, received_bytes  what came
    """

    default_branch: str | None
    head_commit: str | None
    branches: int
    tags: int
    left_out: int
    objects: int
    received_bytes: int


class RepositorySync:
    def __init__(
        self, workspace: Workspace, clones: RepositoryClones, http: UserHttp, forge: LocalForge
    ) -> None:
        self._workspace = workspace
        self._clones = clones
        self._http = http
        self._forge = forge

    @classmethod
    def of(cls, dependencies: KindDependencies) -> RepositorySync:
        http = dependencies.extension(UserHttp)
        forge = LocalForge(
            url=dependencies.local_forge,
            http=http.unrestricted.http,
            store=dependencies.store,
            is_unrestricted=http.is_unrestricted,
        )
        workspace, clones = dependencies.extension(Workspace), dependencies.extension(RepositoryClones)
        return cls(workspace, clones, http, forge)

    async def ensure(
        self, row_id: str, principal: str, task: TaskVersion, progress: FetchProgress, *, refs: Sequence[str]
    ) -> None:
        """Sync the repository, unless this process has a clone in which all these refs are. Raises the errors
        of `sync`, and RefUnknown."""
        try:
            await self._resolve(row_id, principal, refs)
        except (CloneMissing, RefUnknown):
            await self.sync(row_id, principal, task, progress)
            await self._resolve(row_id, principal, refs)

    async def sync(self, row_id: str, principal: str, task: TaskVersion, progress: FetchProgress) -> Synced:
        """One attempt. Raises RepositoryUnusable, GitError, RepositoryTooLarge, CloneStorage; the clone is
        as it was then."""
        async with self._clones.writing(row_id):
            row = await self.active(row_id, principal)
            begun = {"sync_status": SyncStatus.SYNCING.value, **SYNC_TASKS.at(task)}
            await self._mark(row_id, SYNC_TASKS.may_begin(task), **begun)
            try:
                synced = await self._fetch(row, task, progress)
            except Exception as error:  # the end of a task that is cancelled is told by the task
                await self._mark(row_id, SYNC_TASKS.may_go_on(task), **_failed(error))
                raise
        await self._remove_unused()
        return synced

    async def active(self, row_id: str, principal: str) -> GitRepository:
        """The row of a repository that can be synced. Raises RepositoryUnusable."""
        try:
            row = await self._workspace.resource(GIT_REPOSITORIES).get(row_id, principal)
        except NotFound as error:
            raise RepositoryUnusable(error.message) from None
        if not row.is_active:
            raise RepositoryUnusable("the repository is not active: switch it on first")
        return row

    async def _resolve(self, row_id: str, principal: str, refs: Sequence[str]) -> None:
        async with self._clones.open(row_id, principal) as clone:
            for ref in refs:
                await clone.call(clone.resolve, ref)

    async def _fetch(self, row: GitRepository, task: TaskVersion, progress: FetchProgress) -> Synced:
        remote, clone = await self.remote(row), self._clones.clone_of(row.id)
        fetched = await self._clones.fetcher.fetch(remote, clone, progress)
        synced = _synced(row, fetched, progress)
        await self._mark(
            row.id,
            SYNC_TASKS.may_go_on(task),
            sync_status=SyncStatus.SUCCESS.value,
            sync_error=None,
            sync_error_code=None,
            last_sync_at=now(),
            default_branch=synced.default_branch,
            head_commit=synced.head_commit,
            branches=_branches_text(fetched.advertised.refs, synced.default_branch),
            size_bytes=await anyio.to_thread.run_sync(clone.size),
        )
        return synced

    async def remote(self, row: GitRepository) -> Remote:
        """Where it is, and the token of its credential; "" without one, and for the local forge
        (`row.is_local`). Raises RepositoryUnusable, GitNetwork."""
        if row.is_local or self._forge.has(row.repository_url):
            return await self._local(row)
        credential = await credential_of(self._workspace, row)
        http = self._http.client_for(row.owner)
        if credential is None:
            return Remote(url=row.repository_url, http=http)
        token = self._workspace.resource(GIT_CREDENTIALS).secret(credential, "access_token")
        return Remote(url=row.repository_url, http=http, token=token, user=password_user(credential))

    async def _local(self, row: GitRepository) -> Remote:
        """Reading from the forge needs no token."""
        url = self._forge.present_url(row.repository_url)
        try:
            await self._forge.require_access(url, row.owner)
        except httpx.HTTPError as error:
            raise GitNetwork("the local forge did not answer; try again later") from error
        await self._mark(row.id, true(), is_local=True)
        row.is_local = True
        return Remote(url=url, http=self._forge.http, name=source_of(row))

    async def _mark(self, row_id: str, condition: ColumnElement[bool], **values: Any) -> None:
        """It is no change of the user's: the version stays."""
        changed = update(GitRepository).where(GitRepository.id == row_id, condition).values(values)
        async with self._workspace.database.transaction() as session:
            await session.execute(
                changed.values(updated_at=GitRepository.updated_at),
                execution_options={"synchronize_session": False},
            )

    async def _remove_unused(self) -> None:
        """The clones of rows that were deleted go with the next sync."""
        present = await self._clones.present()
        used = select(GitRepository.id).where(GitRepository.id.in_(present), ~GitRepository.is_deleted)
        async with self._workspace.database.transaction() as session:
            unused = present - set(await session.scalars(used))
        for row_id in unused:
            await self._clones.remove(row_id)


def _failed(error: BaseException) -> Mapping[str, Any]:
    failure = failure_of(error)
    status = SyncStatus.FAILED.value
    return {"sync_status": status, "sync_error": failure.text, "sync_error_code": failure.code}


def _synced(row: GitRepository, fetched: Fetched, progress: FetchProgress) -> Synced:
    refs, head = fetched.advertised.refs, fetched.advertised.head
    default = head.removeprefix(_HEADS).decode() or None
    branch = row.branch or default
    commit = refs.get(_HEADS + branch.encode()) if branch else None
    branches = sum(name.startswith(_HEADS) for name in refs)
    return Synced(
        default_branch=default,
        head_commit=commit.decode() if commit else None,
        branches=branches,
        tags=len(refs) - branches,
        left_out=fetched.advertised.left_out,
        objects=fetched.objects,
        received_bytes=progress.received_bytes,
    )


def _branches_text(refs: Mapping[bytes, bytes], default: str | None) -> str:
    """The default branch, then the others by name."""
    heads = {
        name.removeprefix(_HEADS).decode(): sha.decode()
        for name, sha in refs.items()
        if name.startswith(_HEADS)
    }
    ordered = sorted(heads, key=lambda name: (name != default, name))
    return json.dumps([[name, heads[name]] for name in ordered[:MAX_BRANCHES]])
