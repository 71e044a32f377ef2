"""The `snapshot` checkpoint, which stores the content of a task's commit.

Author, time, message and every text are stored before the push, so that the commit has the same SHA
whichever version of this program pushes it. A text that a checkpoint of a model's answer already contains is
stored as a reference to that checkpoint, so that each file is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from gencode.codegen.file_checkpoints import Checkpoints, Piece, StoredText
from gencode.domain.tree import Tree
from gencode.githosts.port import Snapshot

SNAPSHOT = "snapshot"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class CommitContent(_Frozen):
    """Every file by path, and the other data that determine the SHA."""

    files: Mapping[str, str]
    message: str
    author: str
    at: datetime
    branch: str

    def snapshot(
        self, deflated_blobs: Mapping[str, bytes] | None = None, *, workflows: bool = False
    ) -> Snapshot:
        """The commit as Git hosts take it; every path is validated. Raises UnsafePath, UnsafeTree."""
        files = {path: text.encode() for path, text in self.files.items()}
        return Snapshot(
            tree=Tree.of(files, workflows=workflows),
            message=self.message,
            author=self.author,
            at=self.at,
            branch=self.branch,
            deflated_blobs=deflated_blobs or {},
        )


class _Reference(_Frozen):
    checkpoint: str


class _Snapshot(_Frozen):
    """The stored form; versions before 0.2 stored every text inline."""

    files: Mapping[str, str | _Reference]
    message: str
    author: str
    at: datetime
    branch: str


def commit_checkpoint(commit: CommitContent, stored: Mapping[str, StoredText]) -> str:
    """The JSON to store. `stored`: by path, texts that are in the task's checkpoints already."""
    return _Snapshot(
        files={path: _reference(text, stored.get(path)) for path, text in commit.files.items()},
        message=commit.message,
        author=commit.author,
        at=commit.at,
        branch=commit.branch,
    ).model_dump_json()


def read_commit(checkpoints: Checkpoints) -> CommitContent | None:
    """The stored commit; None before the files are merged."""
    if SNAPSHOT not in checkpoints:
        return None
    snapshot = _Snapshot.model_validate_json(checkpoints[SNAPSHOT])
    return CommitContent(
        files={path: _text(file, checkpoints) for path, file in snapshot.files.items()},
        message=snapshot.message,
        author=snapshot.author,
        at=snapshot.at,
        branch=snapshot.branch,
    )


def _reference(text: str, stored: StoredText | None) -> str | _Reference:
    return _Reference(checkpoint=stored.checkpoint) if stored and stored.text == text else text


def _text(file: str | _Reference, checkpoints: Checkpoints) -> str:
    if isinstance(file, str):
        return file
    return Piece.model_validate_json(checkpoints[file.checkpoint]).text
