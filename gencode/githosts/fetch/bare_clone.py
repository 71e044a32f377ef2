"""A bare clone on the local disk: what a fetch brought is put into it at once, or not at all.

ID.git/     packed-refs, HEAD, objects/pack/ and `source.json`, which names what it was cloned from
ID.partial/ what a fetch under way has; of a killed process it is removed by the next one

It has no hooks, and the only configuration is what dulwich writes for a bare repository.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dulwich.config import StackedConfig
from dulwich.errors import NotGitRepository
from dulwich.objects import ObjectID
from dulwich.refs import Ref, write_packed_refs
from dulwich.repo import Repo as GitRepo

from gencode.githosts.bare_repository import is_real_directory, sync_directory, sync_tree

MAX_PACKS = 20
"""Each fetch adds one; with so many, the next fetch clones anew."""
_SOURCE = "source.json"
_MASTER = b"refs/heads/master"


@dataclass(frozen=True, kw_only=True, slots=True)
class CloneState:
    """source  what it is cloned from
    refs    ids by full name
    head    the full name of the default branch; "" if there is none
    """

    source: str
    refs: Mapping[bytes, bytes]
    head: bytes


class BareClone:
    """The clone at `path`, which ends with ".git", whether it exists or not. The methods block; those that
    change it are called by one thread at a time. They raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_suffix(".partial")
        self._old = path.with_suffix(".old")

    def source(self) -> str | None:
        """What it was cloned from; None without a whole clone."""
        if not is_real_directory(self.path):
            return None
        try:
            return str(json.loads((self.path / _SOURCE).read_bytes())["source"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @contextmanager
    def open(self) -> Iterator[GitRepo]:
        """The repository, to be read only. Raises NotGitRepository if there is none."""
        with GitRepo(str(self.path), bare=True) as git:
            yield git

    def indexes(self) -> list[Path]:
        """Of its packs."""
        return sorted((self.path / "objects" / "pack").glob("pack-*.idx"))

    def begin(self) -> Path:
        """An empty folder for a fetch; what a former one has left is removed."""
        shutil.rmtree(self._old, ignore_errors=True)
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(mode=0o700, parents=True)
        return self.partial

    def end(self) -> None:
        """Remove what the fetch has left."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def add(self, state: CloneState, pack: Path | None, *, is_new: bool) -> None:
        """Put the pack, beside which its index is, and the refs into the clone, or make it anew of them. A
        process that is killed leaves the clone as it was; what it has added then is used by nothing."""
        if not is_new:
            _fill(self.path, state, pack)
            return
        draft = self.partial / "clone"
        draft.mkdir()
        # Without an empty configuration, dulwich reads init.defaultBranch of the process's user.
        with GitRepo.init_bare(draft, default_branch=b"main", config=StackedConfig([])):
            shutil.rmtree(draft / "hooks", ignore_errors=True)
        _fill(draft, state, pack)
        sync_tree(draft)
        with suppress(FileNotFoundError):
            self.path.rename(self._old)
        draft.rename(self.path)
        sync_directory(self.path.parent)
        shutil.rmtree(self._old, ignore_errors=True)

    def remove(self) -> None:
        for path in (self.path, self.partial, self._old):
            shutil.rmtree(path, ignore_errors=True)

    def size(self) -> int:
        """Bytes of its packs and indexes."""
        folder = self.path / "objects" / "pack"
        return sum(file.stat().st_size for file in folder.glob("pack-*")) if folder.is_dir() else 0

    def is_whole(self) -> bool:
        """Whether a repository is there."""
        try:
            with self.open():
                return self.source() is not None
        except (NotGitRepository, OSError):
            return False


def _fill(repository: Path, state: CloneState, pack: Path | None) -> None:
    """The index after its pack, the refs after both: at each moment, what a ref names is there."""
    if pack:
        with open(pack, "rb") as file:
            file.seek(-20, os.SEEK_END)
            name = f"pack-{file.read().hex()}"
        folder = repository / "objects" / "pack"
        for suffix in (".pack", ".idx"):
            file_of = pack.with_suffix(suffix)
            file_of.chmod(0o400)
            _replace(file_of, folder / f"{name}{suffix}")
    new_refs = repository / "packed-refs.new"
    with open(new_refs, "wb") as file:
        file.write(b"# pack-refs with: sorted\n")  # dulwich reads no empty file
        write_packed_refs(file, {Ref(name): ObjectID(sha) for name, sha in state.refs.items()})
    _replace(new_refs, repository / "packed-refs")
    _write(repository / "HEAD", b"ref: " + (state.head or _MASTER) + b"\n")
    _write(repository / _SOURCE, json.dumps({"source": state.source}).encode())


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    _replace(draft, path)


def _replace(draft: Path, path: Path) -> None:
    with open(draft, "rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)
