"""Reading a clone: refs, commits, directories, files. Nothing is checked out, and no link is followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from gencode.diffs import path_bytes, path_text
from gencode.domain.phrase import Phrase
from gencode.workspace.repositories.errors import PathUnknown, RefUnknown

P = ParamSpec("P")
T = TypeVar("T")

MAX_MESSAGE = 10_000
"""Characters of a commit's message that are given."""
MAX_PERSON = 200
_HEADS, _TAGS = b"refs/heads/", b"refs/tags/"
_COMMIT_ID = re.compile(r"[0-9a-f]{40}")
_BEGINNING = re.compile(r"[0-9a-f]{7,39}")
_MAX_TAGS = 10
_MAX_CANDIDATES = 100
_FORMATS = {0o040000: "directory", 0o100000: "file", 0o120000: "symlink", 0o160000: "submodule"}


class EntryType(StrEnum):
    DIRECTORY = "directory"
    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitInfo:
    """Times are None where the commit has none that exists."""

    id: str
    parents: tuple[str, ...]
    author: str
    authored_at: datetime | None
    committed_at: datetime | None
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeEntry:
    """path  from the root; see gencode.diffs.paths
    id    of the blob or tree; of a submodule, its commit
    """

    path: str
    type: EntryType
    mode: int
    id: str


class Clone:
    """The methods block: use `call`. They raise RefUnknown, PathUnknown.

    repository  dulwich's, to be read only
    """

    def __init__(self, repository: Repo, limiter: anyio.CapacityLimiter) -> None:
        self.repository = repository
        self._limiter = limiter
        self._lock = anyio.Lock()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, from a thread. One call at a time: dulwich's caches are not shared."""
        async with self._lock:
            return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs), limiter=self._limiter)

    # --- refs -------------------------------------------------------------------------------------

    def branches(self) -> Mapping[str, str]:
        """The ids of their commits by name."""
        return self._named(_HEADS)

    def tags(self) -> Mapping[str, str]:
        """The ids of what they name by name."""
        return self._named(_TAGS)

    def default_branch(self) -> str | None:
        """The branch that HEAD names, if it exists."""
        target = self.repository.refs.read_ref(Ref(b"HEAD")) or b""
        name = target.removeprefix(b"ref: ").removeprefix(_HEADS).decode("utf-8", "replace")
        return name if name in self.branches() else None

    def resolve(self, ref: str) -> str:
        """The commit (40 hexadecimal digits) of a branch, else a tag, else a commit's id or its beginning of
        7 digits or more. Raises RefUnknown."""
        name = ref.encode("utf-8", "surrogatepass")
        for prefix in (_HEADS, _TAGS):
            if sha := self.repository.refs.get_packed_refs().get(Ref(prefix + name)):
                return self._commit(sha, ref)
        if _COMMIT_ID.fullmatch(ref):
            return self._commit(ObjectID(name), ref)
        if _BEGINNING.fullmatch(ref):
            return self._unique(ref)
        raise _unknown(ref)

    def _named(self, prefix: bytes) -> dict[str, str]:
        return {
            name.removeprefix(prefix).decode("utf-8", "replace"): sha.decode()
            for name, sha in self.repository.refs.get_packed_refs().items()
            if name.startswith(prefix)
        }

    def _commit(self, sha: ObjectID, ref: str) -> str:
        for _ in range(_MAX_TAGS):
            try:
                found = self.repository.object_store[sha]
            except KeyError:
                break
            if isinstance(found, Commit):
                return found.id.decode()
            if not isinstance(found, Tag):
                break
            sha = found.object[1]
        raise _unknown(ref)

    def _unique(self, beginning: str) -> str:
        store = self.repository.object_store
        candidates = list(islice(store.iter_prefix(beginning.encode()), _MAX_CANDIDATES))
        commits = [sha for sha in candidates if isinstance(store[sha], Commit)]
        if len(commits) == 1:
            return commits[0].decode()
        if commits:
            raise RefUnknown(
                Phrase("several commits begin with {beginning}: give more of its digits", beginning=beginning)
            )
        raise _unknown(beginning)

    # --- commits and files ------------------------------------------------------------------------

    def commits(self, commit: str, limit: int, skip: int = 0) -> list[CommitInfo]:
        """The commit and its ancestors, the newest first."""
        walker = self.repository.get_walker(include=[ObjectID(commit.encode())], max_entries=limit + skip)
        return [_commit_info(entry.commit) for entry in islice(walker, skip, None)]

    def commit(self, commit: str) -> CommitInfo:
        return _commit_info(self._object(commit, Commit))

    def entries(self, commit: str, path: str = "") -> Iterator[TreeEntry]:
        """What a directory holds, in Git's order. `path`: "" is the root."""
        tree, prefix = self._object(commit, Commit).tree, b""
        if path:
            entry = self.entry(commit, path)
            if entry.type is not EntryType.DIRECTORY:
                raise PathUnknown(
                    Phrase("{path!r} is a {type}, not a directory", path=path[:200], type=entry.type)
                )
            tree, prefix = ObjectID(entry.id.encode()), path_bytes(entry.path) + b"/"
        for item in self._object(tree.decode(), Tree).iteritems():
            yield _entry(prefix + item.path, item.mode, item.sha)

    def entry(self, commit: str, path: str) -> TreeEntry:
        """A file or directory. No component of its path may be a link: none is followed."""
        sha, mode = self._object(commit, Commit).tree, 0o040000
        for part in _parts(path):
            tree = self.repository.object_store[sha]
            try:
                mode, sha = tree[part] if isinstance(tree, Tree) and part else (0, None)
            except KeyError:
                sha = None
            if sha is None or (mode & 0o170000) == 0:
                raise PathUnknown(Phrase("there is no {path!r} in this commit", path=path[:200]))
            if (mode & 0o170000) == 0o160000:
                break
        return _entry(path_bytes(path), mode, sha)

    def blob(self, commit: str, path: str) -> bytes:
        """The content of a file; of a symbolic link, its target."""
        entry = self.entry(commit, path)
        if entry.type not in (EntryType.FILE, EntryType.SYMLINK):
            raise PathUnknown(Phrase("{path!r} is a {type}, not a file", path=path[:200], type=entry.type))
        return self._object(entry.id, Blob).data

    def _object(self, sha: str, kind: type[T]) -> T:
        try:
            found = self.repository.object_store[ObjectID(sha.encode())]
        except KeyError:
            raise _unknown(sha) from None
        if not isinstance(found, kind):
            raise _unknown(sha)
        return found


def _entry(path: bytes, mode: int, sha: ObjectID) -> TreeEntry:
    kind = EntryType(_FORMATS.get(mode & 0o170000, "file"))
    return TreeEntry(path=path_text(path), type=kind, mode=mode, id=sha.decode())


def _parts(path: str) -> list[bytes]:
    try:
        return path_bytes(path).split(b"/")
    except UnicodeEncodeError:  # half of a surrogate pair
        return [b""]


def _commit_info(commit: Commit) -> CommitInfo:
    return CommitInfo(
        id=commit.id.decode(),
        parents=tuple(parent.decode() for parent in commit.parents),
        author=commit.author.decode("utf-8", "replace")[:MAX_PERSON],
        authored_at=_moment(commit.author_time),
        committed_at=_moment(commit.commit_time),
        message=commit.message.decode("utf-8", "replace")[:MAX_MESSAGE],
    )


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _unknown(ref: str) -> RefUnknown:
    return RefUnknown(
        Phrase("the repository has no branch, tag or commit {ref!r} as of its last sync", ref=ref[:200])
    )
