"""A changed file as JSON. Paths and lines are bytes, in base64: not all are UTF-8."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from gencode.diffs.paths import path_bytes, path_text
from gencode.diffs.values import FileDiff, FileKind, Hunk, Status


class Stored(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", defer_build=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


class StoredHunk(Stored):
    """The header in the order of @@, the numbers of added and deleted lines, the body, the section."""

    header: tuple[int, int, int, int]
    changes: tuple[int, int]
    body: bytes
    section: bytes = b""

    @classmethod
    def of(cls, hunk: Hunk) -> Self:
        return cls(
            header=(hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count),
            changes=(hunk.added, hunk.deleted),
            body=hunk.body,
            section=hunk.section,
        )

    @property
    def hunk(self) -> Hunk:
        old_start, old_count, new_start, new_count = self.header
        return Hunk(
            old_start=old_start,
            old_count=old_count,
            new_start=new_start,
            new_count=new_count,
            added=self.changes[0],
            deleted=self.changes[1],
            body=self.body,
            section=self.section,
        )


class StoredFile(Stored):
    """old, new  the path, the mode and the blob; the path is None where the file does not exist
    commit    of a patch that has several, else ""
    """

    old: tuple[bytes | None, int | None, str]
    new: tuple[bytes | None, int | None, str]
    status: Status
    kind: FileKind
    hunks: tuple[StoredHunk, ...]
    commit: str = ""

    @classmethod
    def of(cls, file: FileDiff, commit: str = "") -> Self:
        return cls(
            old=(_bytes(file.old_path), file.old_mode, file.old_id),
            new=(_bytes(file.new_path), file.new_mode, file.new_id),
            status=file.status,
            kind=file.kind,
            hunks=tuple(map(StoredHunk.of, file.hunks)),
            commit=commit,
        )

    @property
    def file(self) -> FileDiff:
        return FileDiff(
            old_path=_text(self.old[0]),
            new_path=_text(self.new[0]),
            status=self.status,
            kind=self.kind,
            old_mode=self.old[1],
            new_mode=self.new[1],
            old_id=self.old[2],
            new_id=self.new[2],
            hunks=tuple(hunk.hunk for hunk in self.hunks),
        )


def _bytes(path: str | None) -> bytes | None:
    return None if path is None else path_bytes(path)


def _text(path: bytes | None) -> str | None:
    return None if path is None else path_text(path)
