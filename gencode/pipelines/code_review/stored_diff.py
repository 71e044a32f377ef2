"""A diff as a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gencode.diffs import Diff, Patch
from gencode.diffs.stored_files import Stored, StoredFile


class _StoredFiles(Stored):
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedDiff:
    """commits  by file: the commit of a patch that has several, else "" """

    diff: Diff
    commits: Sequence[str]

    @classmethod
    def of_patch(cls, patch: Patch) -> ReviewedDiff:
        """The files of all commits, in their order."""
        named = len(patch.commits) > 1
        files = [(file, commit.id if named else "") for commit in patch.commits for file in commit.diff.files]
        return cls(diff=Diff(files=tuple(file for file, _ in files)), commits=[commit for _, commit in files])

    def dump(self) -> str:
        """JSON."""
        files = zip(self.diff.files, self.commits, strict=True)
        stored = tuple(StoredFile.of(file, commit) for file, commit in files)
        return _StoredFiles(files=stored).model_dump_json()

    @classmethod
    def load(cls, text: str) -> ReviewedDiff:
        stored = _StoredFiles.model_validate_json(text).files
        files = tuple(one.file for one in stored)
        return cls(diff=Diff(files=files), commits=[one.commit for one in stored])
