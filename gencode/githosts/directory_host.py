"""A directory of bare repositories as a Git host: no network, no token."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import anyio
import anyio.to_thread
from dulwich.errors import NotGitRepository

from gencode.domain.errors import StartError
from gencode.githosts.bare_repository import BareRepository, is_real_directory
from gencode.githosts.commit import commit_objects, commit_sha
from gencode.githosts.errors import (
    GitNotFound,
    GitRejected,
    GitUnavailable,
    HostInvalid,
    HostUnavailable,
    NonFastForward,
    RepoExists,
)
from gencode.githosts.ownership_marker import has_marker, marked_description, marker_of, marker_suffix
from gencode.githosts.port import Repository, RepositorySpec, RepositoryState, Snapshot
from gencode.observability.metrics import Metrics

T = TypeVar("T")

MAX_DESCRIPTION = 350  # characters, as at most other hosts
_HEADS = "refs/heads/"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class DirectoryHost:
    """Implements `gencode.githosts.port.GitHost`. Repositories are at `ROOT/NAME.git`, those of an
    organisation at `ROOT/ORG/NAME.git`. Raises StartError for a root that is no directory.

    label   its name in the settings, for messages and metrics
    url     the URL at which a web server serves the root; None: repositories have file:// URLs
    owner   the directory for requests that name no organisation
    """

    def __init__(
        self,
        root: Path,
        *,
        label: str,
        url: str | None = None,
        owner: str | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        if not root.is_dir():
            raise StartError(f'HOSTS: the path of "{label}" is no folder: make {root} first')
        self._root = root.resolve()
        self._label = label
        self._url = (url or self._root.as_uri()).rstrip("/")
        self._owner = owner or ""
        self._metrics = metrics or Metrics()
        self._lock = anyio.Lock()

    async def check(self, spec: RepositorySpec) -> None:
        try:
            await self._run("read", partial(self._check, spec))
        except OSError as error:
            raise HostUnavailable(f"the folder of the Git host cannot be read: {error.strerror}") from error

    async def create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        try:
            return await self._run("create", partial(self._create, spec, snapshot))
        except OSError as error:
            raise HostUnavailable(
                f"the folder of the Git host cannot be written: {error.strerror}"
            ) from error

    async def push(self, repo: Repository, snapshot: Snapshot) -> str:
        try:
            return await self._run("push", partial(self._push, repo, snapshot))
        except OSError as error:
            raise GitUnavailable(f"the repository cannot be written: {error.strerror}") from error

    async def state(self, repo: Repository) -> RepositoryState | None:
        try:
            return await self._run("read", partial(self._state, repo))
        except OSError as error:
            raise HostUnavailable(f"the folder of the Git host cannot be read: {error.strerror}") from error

    async def _run(self, operation: str, call: Callable[[], T]) -> T:
        """Run one call at a time in a thread. It is not cancelled, so that no write is left half done."""
        async with self._lock:
            with self._metrics.host_seconds.labels(self._label, operation).time():
                return await anyio.to_thread.run_sync(call)

    # --- in the thread ------------------------------------------------------------------------------

    def _check(self, spec: RepositorySpec) -> None:
        owner, name = spec.org or self._owner, _checked_name(spec.name)
        directory = self._root / _checked_name(owner) if owner else self._root
        if owner and directory.exists():
            _check_real(directory, owner)
        parent = directory if directory.exists() else self._root
        if not os.access(parent, os.W_OK | os.X_OK):
            raise HostUnavailable(f"the folder of the Git host cannot be written: {parent}")
        bare = BareRepository(directory / f"{name}.git")
        if bare.exists and not bare.description().endswith(marker_suffix(spec)):
            raise RepoExists(f"{spec.name!r} exists already; choose another repo_name and retry")

    def _create(self, spec: RepositorySpec, snapshot: Snapshot) -> Repository:
        owner = spec.org or self._owner
        bare = BareRepository(self._owner_directory(owner) / f"{_checked_name(spec.name)}.git")
        draft = ".new-" + hashlib.sha256(spec.marker.encode()).hexdigest()[:16]
        text = marked_description(spec, MAX_DESCRIPTION)
        if not bare.create(text, branch=snapshot.branch, private=spec.private, draft_name=draft):
            _check_ours(bare, spec, snapshot)
        return self._repository(owner, spec.name)

    def _owner_directory(self, owner: str) -> Path:
        """The directory of an owner's repositories, created if it does not exist."""
        if not owner:
            return self._root
        directory = self._root / _checked_name(owner)
        directory.mkdir(exist_ok=True)
        _check_real(directory, owner)
        return directory

    def _push(self, repo: Repository, snapshot: Snapshot) -> str:
        bare = self._existing(repo)
        objects = commit_objects(snapshot)
        try:
            if objects.parent and not bare.has_commit(objects.parent):
                raise GitRejected(f"{repo.name!r} does not have the commit on which this one is made")
            head = bare.add_commit(snapshot.branch, objects)
        except NotGitRepository as error:
            raise GitNotFound(f"{repo.name!r} is no Git repository any more") from error
        if head != objects.sha:
            raise NonFastForward(
                "the branch holds other commits and was left alone; choose another repo_name"
            )
        return objects.sha.decode("ascii")

    def _state(self, repo: Repository) -> RepositoryState | None:
        try:
            bare = self._existing(repo)
            refs, default = bare.refs(), bare.default_branch()
        except (GitNotFound, NotGitRepository):
            return None
        branches = {name.removeprefix(_HEADS): sha for name, sha in refs.items() if name.startswith(_HEADS)}
        return RepositoryState(
            marker=marker_of(bare.description()), default_branch=default, branches=branches
        )

    def _existing(self, repo: Repository) -> BareRepository:
        owner, name = repo.owner, _checked_name(repo.name)
        directory = self._root / _checked_name(owner) if owner else self._root
        bare = BareRepository(directory / f"{name}.git")
        expected = replace(self._repository(owner, name), host=repo.host)
        if repo != expected or not is_real_directory(directory) or not has_marker(bare.description()):
            raise GitNotFound(f"{repo.name!r} is not, or no more, a repository that was made here")
        return bare

    def _repository(self, owner: str, name: str) -> Repository:
        path = f"{quote(owner)}/{quote(name)}.git" if owner else f"{quote(name)}.git"
        url = f"{self._url}/{path}"
        return Repository(owner=owner, name=name, web_url=url, clone_url=url)


def _check_ours(bare: BareRepository, spec: RepositorySpec, snapshot: Snapshot) -> None:
    """Raise RepoExists unless it carries the task's marker and is empty or holds just the snapshot."""
    if not bare.description().endswith(marker_suffix(spec)):
        raise RepoExists(f"{spec.name!r} exists already and was left alone; choose another repo_name")
    try:
        refs = bare.refs()
    except NotGitRepository as error:
        raise RepoExists(f"{spec.name!r} is no Git repository and was left alone") from error
    if refs and refs.get(f"refs/heads/{snapshot.branch}") != commit_sha(snapshot):
        raise RepoExists(f"{spec.name!r} holds other commits and was left alone; choose another repo_name")


def _check_real(directory: Path, owner: str) -> None:
    if not is_real_directory(directory):
        raise HostInvalid(f"the folder of {owner!r} is a link and was left alone; choose another github_org")


def _checked_name(name: str) -> str:
    """The name, if it is that of a direct child directory; raises HostInvalid."""
    if not _NAME.fullmatch(name) or name.endswith((".", ".git", ".lock")):
        raise HostInvalid(f"{name[:100]!r} cannot be a folder's name here: use letters, digits, - and _")
    return name
