"""Bare repositories on disk: created atomically, found by validated names, opened for one operation."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from dulwich.config import StackedConfig
from dulwich.repo import Repo

from gencode.embedded.forge.names import is_valid_name, is_valid_owner, without_git_suffix
from gencode.embedded.forge.scratch import empty_scratch

_DEFAULT_BRANCH = b"main"
_INFO_FILE = "gencode.json"
_TARGET_EXISTS = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


class NameTaken(Exception):
    """The owner already has a repository of that name; case is ignored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryInfo:
    """Metadata of a repository, stored as JSON in its folder."""

    id: int
    owner: str
    name: str
    description: str
    private: bool
    created_at: str
    """RFC 3339, UTC, whole seconds."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the forge and its folder on disk."""

    info: RepositoryInfo
    path: Path

    @property
    def full_name(self) -> str:
        return f"{self.info.owner}/{self.info.name}"


class Repositories:
    """Repositories at `ROOT/owner/name.git`, in lower case, so that names that differ only in case collide.

    Every call blocks on the disk. Only one process may use the root: the constructor deletes unfinished files
    of an earlier process from the scratch folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.scratch = empty_scratch(root)

    def create(self, *, owner: str, name: str, description: str, private: bool) -> Repository:
        """Create an empty repository; `owner` and `name` must be valid. Of concurrent callers, one succeeds.

        Raises NameTaken, and OSError when the disk fails; in both cases no file remains.
        """
        info = RepositoryInfo(
            id=secrets.randbits(48),
            owner=owner,
            name=name,
            description=description,
            private=private,
            created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        unfinished = self.scratch / f"{secrets.token_hex(16)}.git"
        try:
            _initialise(unfinished, info)
            return Repository(info, _move_into_place(unfinished, self._folder(owner, name)))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository of a URL; None if it does not exist. Accepts untrusted input, `name.git` and any
        case."""
        name = without_git_suffix(name)
        if not (is_valid_owner(owner) and is_valid_name(name)):
            return None
        return _load(self._folder(owner, name))

    def newest(self, limit: int) -> list[Repository]:
        """At most `limit` repositories, newest first."""
        found = filter(None, map(_load, self._root.glob("[a-z0-9]*/*.git")))
        return sorted(found, key=lambda repository: repository.info.created_at, reverse=True)[:limit]

    def _folder(self, owner: str, name: str) -> Path:
        return self._root / owner.lower() / f"{name.lower()}.git"


@contextmanager
def open_repository(repository: Repository) -> Iterator[Repo]:
    """The repository as a dulwich Repo, closed on exit."""
    with _IsolatedRepo(repository.path, bare=True) as repo:
        repo.hooks.clear()  # dulwich's default hooks execute files in the repository
        repo.object_store.fsync_object_files = True  # a push that was reported survives a power failure
        yield repo


class _IsolatedRepo(Repo):
    def get_config_stack(self) -> StackedConfig:
        """The repository's own configuration only, without ~/.gitconfig and the environment."""
        return StackedConfig([self.get_config()])


def _initialise(unfinished: Path, info: RepositoryInfo) -> None:
    _IsolatedRepo.init_bare(unfinished, mkdir=True, default_branch=_DEFAULT_BRANCH).close()
    (unfinished / _INFO_FILE).write_text(json.dumps(asdict(info), indent=2), encoding="utf-8")
    for path in (*unfinished.rglob("*"), unfinished):
        _fsync(path)


def _move_into_place(unfinished: Path, folder: Path) -> Path:
    """The rename decides between concurrent creations: it fails if the target is a folder with content."""
    folder.parent.mkdir(exist_ok=True)
    try:
        unfinished.rename(folder)
    except OSError as error:
        if error.errno in _TARGET_EXISTS:
            raise NameTaken(folder.name) from error
        raise
    _fsync(folder.parent)
    return folder


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _load(folder: Path) -> Repository | None:
    """Loads a repository; None for a folder that was not created by `Repositories`."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return None
    try:
        return Repository(RepositoryInfo(**json.loads((folder / _INFO_FILE).read_bytes())), folder)
    except (OSError, ValueError, TypeError):
        return None
