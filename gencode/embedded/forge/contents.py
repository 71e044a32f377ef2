"""What a repository holds: branches, and the files of its default branch. Every call blocks on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dulwich.errors import NotTreeError
from dulwich.object_store import iter_tree_contents, tree_lookup_path
from dulwich.objects import S_ISGITLINK, Blob, Commit, SubmoduleEncountered
from dulwich.refs import HEADREF, Ref, check_ref_format
from dulwich.repo import Repo

_HEADS = b"refs/heads/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file in a tree. `size` in bytes, None for a submodule."""

    path: bytes
    size: int | None


def default_branch(repo: Repo) -> str:
    target = repo.refs.get_symrefs().get(HEADREF, Ref(b""))
    return target.removeprefix(_HEADS).decode("utf-8", "replace")


def branches(repo: Repo) -> list[bytes]:
    return sorted(repo.refs.subkeys(Ref(_HEADS)))


def tip(repo: Repo, branch: str) -> str | None:
    """The SHA (40 hex) of a branch, None if there is none; `branch` may be hostile."""
    name = Ref(_HEADS + branch.encode("utf-8", "replace"))
    if not check_ref_format(name):
        return None
    try:
        return repo.refs[name].decode()
    except (KeyError, ValueError, OSError):
        return None


def entries(repo: Repo, limit: int) -> list[Entry]:
    """The first `limit` files of the default branch, by path; nothing of an empty repository."""
    head = _head(repo)
    if head is None:
        return []
    found: list[Entry] = []
    for path, mode, sha in iter_tree_contents(repo.object_store, head.tree):
        if len(found) == limit:
            break
        size = None if S_ISGITLINK(mode) else repo.object_store[sha].raw_length()
        found.append(Entry(path=path, size=size))
    return found


def content(repo: Repo, path: bytes) -> bytes | None:
    """A file of the default branch, None if there is no such file."""
    head = _head(repo)
    if head is None:
        return None
    store = repo.object_store
    try:
        _, sha = tree_lookup_path(store.__getitem__, head.tree, path)
        found = store[sha]
    except (KeyError, ValueError, NotTreeError, SubmoduleEncountered):
        return None
    return found.data if isinstance(found, Blob) else None


def kilobytes(path: Path) -> int:
    """The size of the packs, rounded up, in GitHub's unit."""
    total = sum(pack.stat().st_size for pack in (path / "objects" / "pack").glob("*.pack"))
    return -(-total // 1024)


def _head(repo: Repo) -> Commit | None:
    try:
        found = repo.object_store[repo.refs[HEADREF]]
    except KeyError:
        return None
    return found if isinstance(found, Commit) else None
