"""Reads a repository: its branches, and the files of its default branch. Every call blocks on the disk."""

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
class FileEntry:
    """A file in a tree. `size` in bytes, None for a submodule."""

    path: bytes
    size: int | None


def default_branch(repo: Repo) -> str:
    """The branch that HEAD points to, whether or not it has a commit."""
    target = repo.refs.get_symrefs().get(HEADREF, Ref(b""))
    return target.removeprefix(_HEADS).decode("utf-8", "replace")


def branches(repo: Repo) -> list[bytes]:
    return sorted(repo.refs.subkeys(Ref(_HEADS)))


def branch_sha(repo: Repo, branch: str) -> str | None:
    """The commit of a branch (40 hex digits), None if there is none. `branch` is untrusted input."""
    name = Ref(_HEADS + branch.encode("utf-8", "replace"))
    if not check_ref_format(name):
        return None
    try:
        return repo.refs[name].decode()
    except (KeyError, ValueError, OSError):
        return None


def list_files(repo: Repo, limit: int) -> list[FileEntry]:
    """The first `limit` files of the default branch, sorted by path; empty for an empty repository."""
    head = _head(repo)
    if head is None:
        return []
    found: list[FileEntry] = []
    for path, mode, sha in iter_tree_contents(repo.object_store, head.tree):
        if len(found) == limit:
            break
        size = None if S_ISGITLINK(mode) else repo.object_store[sha].raw_length()
        found.append(FileEntry(path=path, size=size))
    return found


def read_file(repo: Repo, path: bytes) -> bytes | None:
    """The content of a file on the default branch, None if there is no such file."""
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


def pack_kilobytes(path: Path) -> int:
    """The size of the packs of the repository at `path` in KiB, GitHub's unit, rounded up."""
    total = sum(pack.stat().st_size for pack in (path / "objects" / "pack").glob("*.pack"))
    return -(-total // 1024)


def _head(repo: Repo) -> Commit | None:
    try:
        found = repo.object_store[repo.refs[HEADREF]]
    except KeyError:
        return None
    return found if isinstance(found, Commit) else None
