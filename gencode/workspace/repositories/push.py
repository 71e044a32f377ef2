"""Adds files to a registered repository: one commit on a branch that is not there yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dulwich.objects import Blob, ObjectID, Tree
from dulwich.repo import Repo

from gencode.diffs.tree_diff import tree_of
from gencode.domain import tree as domain_tree
from gencode.domain.errors import UnsafeTree
from gencode.domain.path_rules import fold
from gencode.domain.phrase import Phrase
from gencode.githosts.fetch.limits import FetchProgress
from gencode.githosts.git_client import GitClient
from gencode.githosts.port import GitHost, ParentCommit, Repository, Snapshot
from gencode.http.kind_dependencies import KindDependencies
from gencode.outbound.user_http import UserHttp
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import RepositoryUnusable
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.repositories.table import GitRepository
from gencode.workspace.task_rows import TaskVersion

_FORMAT, _FOLDER, _FILE = 0o170000, 0o040000, 0o100000
MayReplace = Callable[[bytes], bool]
"""Whether a file with this content may be replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """One commit. Equal additions are one commit with the same id.

    parent   id of the commit on which it is made
    files    contents by path
    author   `Name <email>`
    """

    parent: str
    files: Mapping[str, bytes]
    message: str
    author: str
    at: datetime


class RepositoryPush:
    """`seconds`: for one push."""

    def __init__(
        self, clones: RepositoryClones, sync: RepositorySync, http: UserHttp, host: GitHost, seconds: float
    ) -> None:
        self._clones = clones
        self._sync = sync
        self._http = http
        self._host = host
        self._seconds = seconds

    @classmethod
    def of(cls, dependencies: KindDependencies, sync: RepositorySync) -> RepositoryPush:
        return cls(
            dependencies.extension(RepositoryClones),
            sync,
            dependencies.extension(UserHttp),
            dependencies.git_host,
            dependencies.settings.push_timeout,
        )

    async def check(self, row_id: str, principal: str) -> None:
        """Whether a push could be tried: nothing is sent. Raises RepositoryUnusable, GitNetwork."""
        row = await self._sync.active(row_id, principal)
        remote = await self._sync.remote(row)
        if not row.is_local and not remote.token:
            raise RepositoryUnusable("a push needs a Git credential of this host: choose one, or a default")

    async def snapshot(
        self, row_id: str, principal: str, task: TaskVersion, addition: Addition, may_replace: MayReplace
    ) -> Snapshot:
        """The commit to push, on the branch "main". Raises UnsafePath, UnsafeTree for files that have no
        place in the parent, and the errors of RepositorySync.ensure."""
        added = domain_tree.Tree.of(addition.files)
        await self._sync.ensure(row_id, principal, task, FetchProgress(), refs=(addition.parent,))
        async with self._clones.open(row_id, principal) as clone:
            parent = await clone.call(
                parent_commit, clone.repository, addition.parent, list(added.files), may_replace
            )
        return Snapshot(
            tree=added, message=addition.message, author=addition.author, at=addition.at, parent=parent
        )

    async def push(self, row_id: str, principal: str, snapshot: Snapshot) -> str:
        """The commit's id. A branch that is at this commit counts as pushed. One attempt. Raises
        RepositoryUnusable, GitError; NonFastForward for a branch with other content, which is left alone."""
        row = await self._sync.active(row_id, principal)
        remote = await self._sync.remote(row)
        if row.is_local:
            return await self._host.push(_repository(row, remote.url), snapshot)
        if not remote.token:
            raise RepositoryUnusable("a push needs a Git credential of this host: choose one, or a default")
        client = GitClient(timeout=self._seconds, outbound=self._http.outbound_for(row.owner))
        return await client.push(remote.url, remote.token, snapshot, user=remote.user)


def _repository(row: GitRepository, url: str) -> Repository:
    """Of the local forge, which is the only host where it runs."""
    *_, owner, name = url.removesuffix(".git").split("/")
    return Repository(owner=owner, name=name, web_url=url, clone_url=url)


def parent_commit(repository: Repo, commit: str, paths: list[str], may_replace: MayReplace) -> ParentCommit:
    """With the folders of these paths. Raises UnsafeTree for a path that leads over a file, a link or a
    submodule, that differs from another one by its spelling only, or that has a file which may not be
    replaced."""
    store = repository.object_store
    folders: dict[str, Mapping[bytes, tuple[int, bytes]]] = {}

    def entries(sha: ObjectID) -> Mapping[bytes, tuple[int, bytes]]:
        found = store[sha]
        if not isinstance(found, Tree):
            raise UnsafeTree("the repository has a folder that is none")
        return {entry.path: (entry.mode, entry.sha) for entry in found.iteritems()}

    root = entries(tree_of(store, commit))
    for path in paths:
        folders[""] = inside = root
        *parents, name = path.split("/")
        for depth, part in enumerate(parents, 1):
            found = _entry(inside, part, path)
            if found is None:
                break
            if found[0] & _FORMAT != _FOLDER:
                raise UnsafeTree(
                    Phrase(
                        "{path!r} cannot be added: {part!r} is no folder in the repository",
                        path=path,
                        part=part,
                    )
                )
            inside = folders.setdefault("/".join(parents[:depth]), entries(ObjectID(found[1])))
        else:
            found = _entry(inside, name, path)
            if found and not _is_replaceable(store[ObjectID(found[1])], found[0], may_replace):
                raise UnsafeTree(
                    Phrase("{path!r} cannot be added: the repository has another file there", path=path)
                )
    return ParentCommit(id=commit, folders=folders)


def _entry(entries: Mapping[bytes, tuple[int, bytes]], name: str, path: str) -> tuple[int, bytes] | None:
    found = entries.get(name.encode())
    if found is None:
        folded = fold(name)
        other = next((one for one in entries if fold(one.decode("utf-8", "replace")) == folded), None)
        if other is not None:
            shown = other.decode("utf-8", "replace")
            raise UnsafeTree(
                Phrase(
                    "{path!r} cannot be added: {shown!r} is the same name on some systems",
                    path=path,
                    shown=shown,
                )
            )
    return found


def _is_replaceable(found: object, mode: int, may_replace: MayReplace) -> bool:
    return mode & _FORMAT == _FILE and isinstance(found, Blob) and may_replace(found.data)
