"""A snapshot as Git objects, in memory: no work tree, no configuration, no hooks, the same SHA every time.

A work tree would let generated files speak: a generated `.git/config` once sent the token to another host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Union

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from gencode.githosts.port import Snapshot

_FILE = 0o100644
_FOLDER = 0o040000

_Folder = dict[bytes, Union[bytes, "_Folder"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Objects:
    """Everything that a push of one root commit sends."""

    sha: ObjectID
    """40 hex digits."""
    all: tuple[ShaFile, ...]
    ready: Mapping[str, bytes]
    """Streams of some of them, by id."""


def objects(snapshot: Snapshot) -> Objects:
    """Hashes every file: some milliseconds for each hundred, so call it in a thread."""
    parts = list(_tree(_nested(snapshot)))
    commit = _commit(snapshot, parts[-1].id)
    return Objects(sha=commit.id, all=(commit, *parts), ready=snapshot.ready)


def sha(snapshot: Snapshot) -> str:
    """The commit's id, 40 hex digits."""
    return objects(snapshot).sha.decode("ascii")


def _nested(snapshot: Snapshot) -> _Folder:
    root: _Folder = {}
    for path, data in snapshot.tree.files.items():
        *folders, name = path.encode().split(b"/")
        folder = root
        for part in folders:
            inner = folder.setdefault(part, {})
            if isinstance(inner, bytes):
                raise ValueError(f"{path!r} lies under a file")  # Tree.of lets no such tree through
            folder = inner
        folder[name] = data
    return root


def _tree(folder: _Folder) -> Iterator[ShaFile]:
    """The folder's objects, its own tree last."""
    tree = Tree()
    for name, entry in folder.items():
        if isinstance(entry, bytes):
            blob = Blob.from_string(entry)
            tree.add(name, _FILE, blob.id)
            yield blob
        else:
            inner = list(_tree(entry))
            tree.add(name, _FOLDER, inner[-1].id)
            yield from inner
    yield tree


def _commit(snapshot: Snapshot, tree: ObjectID) -> Commit:
    commit = Commit()
    commit.tree = tree
    commit.author = commit.committer = snapshot.author.encode()
    commit.author_time = commit.commit_time = int(snapshot.at.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = snapshot.message.rstrip("\n").encode() + b"\n"
    return commit
