"""A diff as a checkpoint. Paths and lines are bytes: not all are UTF-8."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from gencode.diffs import Diff, FileDiff, FileKind, Hunk, Patch, Status, path_bytes, path_text


class _Stored(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", defer_build=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


class _StoredHunk(_Stored):
    """The header in the order of @@, the numbers of added and deleted lines, the body, the section."""

    header: tuple[int, int, int, int]
    changes: tuple[int, int]
    body: bytes
    section: bytes = b""


class _StoredFile(_Stored):
    """`old`, `new`: the path, the mode and the blob; the path is None where the file does not exist."""

    old: tuple[bytes | None, int | None, str]
    new: tuple[bytes | None, int | None, str]
    status: Status
    kind: FileKind
    hunks: tuple[_StoredHunk, ...]
    commit: str = ""
    blob: bytes | None = None


class _StoredFiles(_Stored):
    files: tuple[_StoredFile, ...]
    base: str = ""
    head: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedDiff:
    """commits     by file: the commit of a patch that has several, else ""
    blobs       the new versions of files, as far as they are known, by the position of the file
    base, head  the commits of a repository; "" of a patch
    """

    diff: Diff
    commits: Sequence[str]
    blobs: Mapping[int, bytes] = field(default_factory=dict)
    base: str = ""
    head: str = ""

    @classmethod
    def of_patch(cls, patch: Patch) -> ReviewedDiff:
        """The files of all commits, in their order."""
        named = len(patch.commits) > 1
        files = [(file, commit.id if named else "") for commit in patch.commits for file in commit.diff.files]
        return cls(diff=Diff(files=tuple(file for file, _ in files)), commits=[commit for _, commit in files])

    def dump(self) -> str:
        """JSON."""
        stored = tuple(
            _stored(file, self.commits[n], self.blobs.get(n)) for n, file in enumerate(self.diff.files)
        )
        return _StoredFiles(files=stored, base=self.base, head=self.head).model_dump_json()

    @classmethod
    def load(cls, text: str) -> ReviewedDiff:
        stored = _StoredFiles.model_validate_json(text)
        blobs = {n: file.blob for n, file in enumerate(stored.files) if file.blob is not None}
        return cls(
            diff=Diff(files=tuple(map(_loaded, stored.files))),
            commits=[file.commit for file in stored.files],
            blobs={n: zlib.decompress(blob) for n, blob in blobs.items()},
            base=stored.base,
            head=stored.head,
        )


def _stored(file: FileDiff, commit: str, blob: bytes | None) -> _StoredFile:
    return _StoredFile(
        old=(_bytes(file.old_path), file.old_mode, file.old_id),
        new=(_bytes(file.new_path), file.new_mode, file.new_id),
        status=file.status,
        kind=file.kind,
        hunks=tuple(map(_stored_hunk, file.hunks)),
        commit=commit,
        blob=None if blob is None else zlib.compress(blob),
    )


def _stored_hunk(hunk: Hunk) -> _StoredHunk:
    return _StoredHunk(
        header=(hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count),
        changes=(hunk.added, hunk.deleted),
        body=hunk.body,
        section=hunk.section,
    )


def _loaded(stored: _StoredFile) -> FileDiff:
    return FileDiff(
        old_path=_text(stored.old[0]),
        new_path=_text(stored.new[0]),
        status=stored.status,
        kind=stored.kind,
        old_mode=stored.old[1],
        new_mode=stored.new[1],
        old_id=stored.old[2],
        new_id=stored.new[2],
        hunks=tuple(map(_loaded_hunk, stored.hunks)),
    )


def _loaded_hunk(stored: _StoredHunk) -> Hunk:
    old_start, old_count, new_start, new_count = stored.header
    return Hunk(
        old_start=old_start,
        old_count=old_count,
        new_start=new_start,
        new_count=new_count,
        added=stored.changes[0],
        deleted=stored.changes[1],
        body=stored.body,
        section=stored.section,
    )


def _bytes(path: str | None) -> bytes | None:
    return None if path is None else path_bytes(path)


def _text(path: bytes | None) -> str | None:
    return None if path is None else path_text(path)
