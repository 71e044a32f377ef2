"""The bare repositories on disk: made whole or not at all, found by checked names, opened for a moment."""

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

from gencode.embedded.forge.names import is_name, is_owner, without_suffix

_DEFAULT_BRANCH = b"main"
_RECORD = "gencode.json"
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


class NameTaken(Exception):
    """The owner has a repository of that name, in whatever case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What is known of a repository besides its objects; kept as JSON inside of it."""

    id: int
    owner: str
    name: str
    description: str
    private: bool
    created_at: str
    """RFC 3339, UTC, whole seconds."""


@dataclass(frozen=True, slots=True)
class Repository:
    about: About
    path: Path

    @property
    def full_name(self) -> str:
        return f"{self.about.owner}/{self.about.name}"


class Repositories:
    """`ROOT/owner/name.git`, in lower case, so that names that differ in case alone collide.

    Every call blocks on the disk. One process owns the root: what an earlier one left half made in the
    scratch folder is removed on construction.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.scratch = root / ".scratch"
        """For unfinished files; on the disk of the repositories, so that a rename can move them."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)

    def create(self, *, owner: str, name: str, description: str, private: bool) -> Repository:
        """An empty repository under checked names. Of any number of callers at once, one succeeds.

        Raises NameTaken, or OSError when the disk refuses; then nothing is left behind.
        """
        about = About(
            id=secrets.randbits(48),
            owner=owner,
            name=name,
            description=description,
            private=private,
            created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        draft = self.scratch / f"{secrets.token_hex(16)}.git"
        try:
            _build(draft, about)
            return Repository(about, _publish(draft, self._folder(owner, name)))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def find(self, owner: str, name: str) -> Repository | None:
        """The repository at an address, hostile or not; `name.git` and any case will do."""
        name = without_suffix(name)
        if not (is_owner(owner) and is_name(name)):
            return None
        return _read(self._folder(owner, name))

    def newest(self, limit: int) -> list[Repository]:
        """At most `limit` repositories, the latest made first."""
        found = filter(None, map(_read, self._root.glob("[a-z0-9]*/*.git")))
        return sorted(found, key=lambda repository: repository.about.created_at, reverse=True)[:limit]

    def _folder(self, owner: str, name: str) -> Path:
        return self._root / owner.lower() / f"{name.lower()}.git"


@contextmanager
def opened(repository: Repository) -> Iterator[Repo]:
    """The repository for Git's own operations; its files are closed afterwards."""
    with _Bare(repository.path, bare=True) as repo:
        repo.hooks.clear()  # those of dulwich run files found in the repository
        repo.object_store.fsync_object_files = True  # a push that was reported survives a power cut
        yield repo


class _Bare(Repo):
    def get_config_stack(self) -> StackedConfig:
        """Its own settings alone: ~/.gitconfig and the environment have no say here."""
        return StackedConfig([self.get_config()])


def _build(draft: Path, about: About) -> None:
    _Bare.init_bare(draft, mkdir=True, default_branch=_DEFAULT_BRANCH).close()
    (draft / _RECORD).write_text(json.dumps(asdict(about), indent=2), encoding="utf-8")
    for path in (*draft.rglob("*"), draft):
        _sync(path)


def _publish(draft: Path, folder: Path) -> Path:
    """The rename is what decides between rivals: a folder with something in it cannot be renamed over."""
    folder.parent.mkdir(exist_ok=True)
    try:
        draft.rename(folder)
    except OSError as error:
        if error.errno in _OCCUPIED:
            raise NameTaken(folder.name) from error
        raise
    _sync(folder.parent)
    return folder


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(folder: Path) -> Repository | None:
    """None for whatever we did not make ourselves."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return None
    try:
        return Repository(About(**json.loads((folder / _RECORD).read_bytes())), folder)
    except (OSError, ValueError, TypeError):
        return None
