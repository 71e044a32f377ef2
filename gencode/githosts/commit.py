"""A snapshot as Git objects in memory: no work tree, no configuration, no hooks, the same SHA every time.

A work tree would give generated files influence over Git: a generated `.git/config` once sent the token to
another host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Union

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.pack import UnpackedObject, full_unpacked_object, pack_object_header

from gencode.githosts.port import Snapshot

_FILE_MODE = 0o100644
_DIRECTORY_MODE = 0o040000

_Directory = dict[bytes, Union[bytes, "_Directory"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitObjects:
    """All objects of one commit; with a parent, those that are new.

    sha             the commit's id, 40 hex digits
    parent          that of its parent; None without one
    replaces        the parent, if the branch has to be at it; None if the branch has to be new
    all             the commit, its trees and its blobs
    deflated_blobs  as in `Snapshot`
    """

    sha: ObjectID
    all: tuple[ShaFile, ...]
    deflated_blobs: Mapping[str, bytes]
    parent: ObjectID | None = None
    replaces: ObjectID | None = None


def commit_sha(snapshot: Snapshot) -> str:
    """The commit's id, 40 hex digits. Hashes every file: call it in a thread."""
    return commit_objects(snapshot).sha.decode("ascii")


def commit_objects(snapshot: Snapshot) -> CommitObjects:
    """Hashes every file, which takes some milliseconds for each hundred: call it in a thread."""
    folders = snapshot.parent.folders if snapshot.parent else {}
    objects = list(_tree_objects(_nested(snapshot), folders))
    commit = _commit(snapshot, objects[-1].id)
    parent = commit.parents[0] if commit.parents else None
    return CommitObjects(
        sha=commit.id,
        all=(commit, *objects),
        deflated_blobs=snapshot.deflated_blobs,
        parent=parent,
        replaces=parent if snapshot.advances else None,
    )


def pack_entries(objects: CommitObjects) -> Iterator[UnpackedObject]:
    """The objects as entries of a pack. Blobs in `deflated_blobs` are used unchanged; all other objects are
    deflated while they are sent."""
    return (_pack_entry(part, objects.deflated_blobs) for part in objects.all)


def _pack_entry(part: ShaFile, deflated_blobs: Mapping[str, bytes]) -> UnpackedObject:
    entry = full_unpacked_object(part)
    if stream := deflated_blobs.get(part.id.decode("ascii")):
        header = pack_object_header(part.type_num, None, part.raw_length(), DEFAULT_OBJECT_FORMAT)
        entry.comp_chunks = [bytes(header), stream]
    return entry


def _nested(snapshot: Snapshot) -> _Directory:
    root: _Directory = {}
    for path, data in snapshot.tree.files.items():
        *directories, name = path.encode().split(b"/")
        directory = root
        for part in directories:
            inner = directory.setdefault(part, {})
            if isinstance(inner, bytes):
                raise ValueError(f"{path!r} lies under a file")  # cannot happen: Tree.of refuses such trees
            directory = inner
        directory[name] = data
    return root


def _tree_objects(
    directory: _Directory, known: Mapping[str, Mapping[bytes, tuple[int, bytes]]], place: str = ""
) -> Iterator[ShaFile]:
    """The directory's blobs and trees; its own tree comes last. `known`: folders of the parent by path."""
    tree = Tree()
    for name, (mode, sha) in known.get(place, {}).items():
        tree[name] = (mode, ObjectID(sha))
    for name, entry in directory.items():
        if isinstance(entry, bytes):
            blob = Blob.from_string(entry)
            tree.add(name, _FILE_MODE, blob.id)
            yield blob
        else:
            inner = list(_tree_objects(entry, known, f"{place}/{name.decode()}" if place else name.decode()))
            tree.add(name, _DIRECTORY_MODE, inner[-1].id)
            yield from inner
    yield tree


def _commit(snapshot: Snapshot, tree: ObjectID) -> Commit:
    commit = Commit()
    commit.tree = tree
    commit.parents = [ObjectID(snapshot.parent.id.encode())] if snapshot.parent else []
    commit.author = commit.committer = snapshot.author.encode()
    commit.author_time = commit.commit_time = int(snapshot.at.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = snapshot.message.rstrip("\n").encode() + b"\n"
    return commit
