"""What the operations on a clone answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gencode.diffs import display_path
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel
from gencode.workspace.repositories.clone import CommitInfo, EntryType, TreeEntry

MAX_TEXT = 2**20
"""Bytes of a file that are given."""


class RepositoryBranchView(ResponseModel):
    name: str
    commit: str
    is_default: bool


class RepositoryBranches(ResponseModel):
    """As of the last sync that succeeded, the default branch first; 1,000 at most."""

    branches: list[RepositoryBranchView]


class RepositoryCommitView(ResponseModel):
    """Times are null where the commit has none that exists."""

    id: str
    parents: list[str]
    author: str
    authored_at: Moment | None
    committed_at: Moment | None
    message: str

    @classmethod
    def of(cls, commit: CommitInfo) -> RepositoryCommitView:
        return cls(
            id=commit.id,
            parents=list(commit.parents),
            author=commit.author,
            authored_at=_moment(commit.authored_at),
            committed_at=_moment(commit.committed_at),
            message=commit.message,
        )


class RepositoryCommits(ResponseModel):
    """From `ref` on, the newest first."""

    commits: list[RepositoryCommitView]
    has_more: bool


class RepositoryEntryView(ResponseModel):
    """`mode`: as Git writes it, in octal. `id`: of the blob or tree; of a submodule, its commit."""

    name: str
    path: str
    type: EntryType
    mode: str
    id: str

    @classmethod
    def of(cls, entry: TreeEntry) -> RepositoryEntryView:
        path = display_path(entry.path)
        return cls(
            name=path.rpartition("/")[2],
            path=path,
            type=entry.type,
            mode=f"{entry.mode:06o}",
            id=entry.id,
        )


class RepositoryTreeView(ResponseModel):
    """A directory at a commit. A symbolic link is an entry; it is not followed."""

    commit: str
    path: str
    entries: list[RepositoryEntryView]
    has_more: bool


class LeftOut(StrEnum):
    """Why the text of a file is not given."""

    BINARY = "binary"
    TOO_LARGE = "too_large"


class RepositoryFileView(ResponseModel):
    """`text`: of a symbolic link, its target; null for what is no text in UTF-8, or larger than 1 MiB, as
    `left_out` says. `size`: bytes."""

    commit: str
    path: str
    type: EntryType
    mode: str
    id: str
    size: int
    text: str | None
    left_out: LeftOut | None

    @classmethod
    def of(cls, commit: str, entry: TreeEntry, content: bytes) -> RepositoryFileView:
        text, left_out = _text(content)
        return cls(
            commit=commit,
            path=display_path(entry.path),
            type=entry.type,
            mode=f"{entry.mode:06o}",
            id=entry.id,
            size=len(content),
            text=text,
            left_out=left_out,
        )


def _text(content: bytes) -> tuple[str | None, LeftOut | None]:
    if len(content) > MAX_TEXT:
        return None, LeftOut.TOO_LARGE
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None, LeftOut.BINARY
    return (None, LeftOut.BINARY) if "\0" in text else (text, None)


def _moment(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None
