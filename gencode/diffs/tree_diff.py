"""The diff of two trees or commits of a Git repository, read with dulwich: no checkout, no configuration, no
attributes and no programs of the repository are used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dulwich.diff_tree import tree_changes
from dulwich.graph import find_merge_base
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree, TreeEntry
from dulwich.repo import BaseRepo

from gencode.diffs.errors import DiffTooLarge, MissingObject
from gencode.diffs.paths import path_text
from gencode.diffs.renames import RenameLimits, find_renames
from gencode.diffs.text_diff import CONTEXT, diff_texts
from gencode.diffs.values import Diff, FileDiff, FileKind, Hunk, Status, kind_of_mode
from gencode.domain.phrase import Phrase

_BINARY_PROBE = 8000
"""Bytes in which Git looks for a zero byte."""
_FORMAT = 0o170000
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")
_MAX_TAGS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeDiffLimits:
    """How much is compared.

    max_files   changed files; more raise DiffTooLarge
    max_blob    bytes of one content; a larger one is FileKind.OVERSIZED
    max_bytes   of all contents together; what comes after it is FileKind.OVERSIZED
    max_lines   of all contents together, likewise
    context     unchanged lines around a change
    """

    max_files: int = 10_000
    max_blob: int = 2**20
    max_bytes: int = 64 * 2**20
    max_lines: int = 1_000_000
    context: int = CONTEXT
    renames: RenameLimits = field(default_factory=RenameLimits)


def diff_commits(
    repository: BaseRepo, old: str | None, new: str, limits: TreeDiffLimits | None = None
) -> Diff:
    """The changes from one commit to another, by their ids. `old` None: from the empty tree.

    Blocks. Raises MissingObject, DiffTooLarge.
    """
    store = repository.object_store
    old_tree = None if old is None else tree_of(store, old)
    return diff_trees(store, old_tree, tree_of(store, new), limits)


def diff_trees(
    store: BaseObjectStore, old: ObjectID | None, new: ObjectID | None, limits: TreeDiffLimits | None = None
) -> Diff:
    """The changes from one tree to another, sorted by path. None is the empty tree."""
    try:
        return Diff(files=tuple(_TreeDiff(store, limits or TreeDiffLimits()).files(old, new)))
    except KeyError as error:
        raise _missing(error) from error


def merge_base(repository: BaseRepo, base: str, head: str) -> str | None:
    """The commit from which `head` has left `base`: a change request is the diff from there to `head`. None
    if they have no common history, which may be cut off in a shallow clone."""
    try:
        found = find_merge_base(repository, [_object_id(base), _object_id(head)])
    except KeyError as error:
        raise _missing(error) from error
    return found[0].decode() if found else None


def tree_of(store: BaseObjectStore, commit: str) -> ObjectID:
    """The tree of a commit or an annotated tag, by its id."""
    name = _object_id(commit)
    try:
        for _ in range(_MAX_TAGS):
            found = store[name]
            if isinstance(found, Commit):
                return ObjectID(found.tree)
            if isinstance(found, Tree):
                return ObjectID(found.id)
            if not isinstance(found, Tag):
                break
            name = found.object[1]
    except (KeyError, ValueError) as error:
        raise _missing(error) from error
    raise MissingObject(Phrase("{commit} is not a commit of this repository", commit=commit))


def _object_id(name: str) -> ObjectID:
    if not _OBJECT_ID.fullmatch(name):
        raise MissingObject(
            Phrase("{name!r} is not the id of a commit: it has 40 hexadecimal digits", name=name[:80])
        )
    return ObjectID(name.encode())


def _missing(error: Exception) -> MissingObject:
    name = error.args[0] if error.args else b""
    shown = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    return MissingObject(
        Phrase(
            "The repository does not hold the object {shown}: fetch it again, with the whole history",
            shown=shown[:80],
        )
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    status: Status
    old: TreeEntry | None
    new: TreeEntry | None

    @property
    def sort_key(self) -> tuple[bytes, bool]:
        """A file that became a link is deleted and added, in this order."""
        entry = self.new or self.old
        return (bytes(entry.path) if entry else b"", self.new is not None)


class _TreeDiff:
    def __init__(self, store: BaseObjectStore, limits: TreeDiffLimits) -> None:
        self._store = store
        self._limits = limits
        self._bytes_left = limits.max_bytes
        self._lines_left = limits.max_lines

    def files(self, old: ObjectID | None, new: ObjectID | None) -> Iterator[FileDiff]:
        changes = self._changes(old, new)
        return map(self._file, sorted(changes, key=lambda change: change.sort_key))

    def _changes(self, old: ObjectID | None, new: ObjectID | None) -> Iterator[_Change]:
        """Renames are sought among files that are gone and new as a whole, not among those whose type has
        changed."""
        deleted, added = [], []
        for count, change in enumerate(tree_changes(self._store, old, new)):
            if count >= self._limits.max_files:
                raise DiffTooLarge(
                    Phrase(
                        "More than {max_files} files have changed: compare closer commits",
                        max_files=self._limits.max_files,
                    )
                )
            if change.old is None and change.new is not None:
                added.append(change.new)
            elif change.new is None and change.old is not None:
                deleted.append(change.old)
            elif change.old is not None and change.new is not None:
                yield from _modification(change.old, change.new)
        yield from self._additions(deleted, added)

    def _additions(self, deleted: list[TreeEntry], added: list[TreeEntry]) -> Iterator[_Change]:
        renames = find_renames(deleted, added, self._comparable, self._limits.renames)
        sources = {entry.path for entry in renames.values()}
        for entry in added:
            source = renames.get(entry.path)
            yield _Change(status=Status.RENAMED if source else Status.ADDED, old=source, new=entry)
        for entry in deleted:
            if entry.path not in sources:
                yield _Change(status=Status.DELETED, old=entry, new=None)

    def _comparable(self, entry: TreeEntry) -> bytes | None:
        data = self._content(entry)
        return data if len(data) <= self._limits.max_blob else None

    def _file(self, change: _Change) -> FileDiff:
        old, new = change.old, change.new
        kind, hunks = self._compared(old, new)
        return FileDiff(
            old_path=None if old is None else path_text(old.path),
            new_path=None if new is None else path_text(new.path),
            status=change.status,
            kind=kind,
            old_mode=old.mode if old else None,
            new_mode=new.mode if new else None,
            old_id=old.sha.decode() if old else "",
            new_id=new.sha.decode() if new else "",
            hunks=hunks,
        )

    def _compared(self, old: TreeEntry | None, new: TreeEntry | None) -> tuple[FileKind, tuple[Hunk, ...]]:
        entry = new or old
        kind = kind_of_mode(entry.mode if entry else None)
        if old and new and old.sha == new.sha:
            return kind, ()
        before, after = self._content(old), self._content(new)
        if kind is FileKind.TEXT and b"\0" in before[:_BINARY_PROBE] + after[:_BINARY_PROBE]:
            return FileKind.BINARY, ()
        if not self._fits(before, after):
            return FileKind.OVERSIZED, ()
        return kind, diff_texts(before, after, self._limits.context)

    def _fits(self, before: bytes, after: bytes) -> bool:
        self._bytes_left -= len(before) + len(after)
        self._lines_left -= before.count(b"\n") + after.count(b"\n")
        has_room = self._bytes_left >= 0 and self._lines_left >= 0
        return has_room and max(len(before), len(after)) <= self._limits.max_blob

    def _content(self, entry: TreeEntry | None) -> bytes:
        if entry is None:
            return b""
        if kind_of_mode(entry.mode) is FileKind.SUBMODULE:
            return b"Subproject commit %b\n" % entry.sha
        blob = self._store[entry.sha]
        if not isinstance(blob, Blob):
            raise MissingObject(Phrase("{decode} is not the content of a file", decode=entry.sha.decode()))
        return blob.data


def _modification(old: TreeEntry, new: TreeEntry) -> Iterator[_Change]:
    """A file that became a link or a submodule is deleted and added, as in Git's patches."""
    if old.mode & _FORMAT != new.mode & _FORMAT:
        yield _Change(status=Status.DELETED, old=old, new=None)
        yield _Change(status=Status.ADDED, old=None, new=new)
    else:
        same = old.sha == new.sha
        yield _Change(status=Status.MODE_CHANGED if same else Status.MODIFIED, old=old, new=new)
