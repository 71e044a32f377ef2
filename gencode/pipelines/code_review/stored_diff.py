"""The diff of a review as a checkpoint."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gencode.diffs import Diff, FileDiff, Patch
from gencode.diffs.stored_files import Stored, StoredFile


class _ReviewedFile(StoredFile):
    """`blob`: the new version if it is known, deflated."""

    blob: bytes | None = None


class _ReviewedFiles(Stored):
    files: tuple[_ReviewedFile, ...]
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
        is_named = len(patch.commits) > 1
        files = [
            (file, commit.id if is_named else "") for commit in patch.commits for file in commit.diff.files
        ]
        return cls.of_files(files)

    @classmethod
    def of_files(cls, files: Sequence[tuple[FileDiff, str]], base: str = "", head: str = "") -> ReviewedDiff:
        """Files, each with its commit."""
        diff = Diff(files=tuple(file for file, _ in files))
        return cls(diff=diff, commits=[commit for _, commit in files], base=base, head=head)

    def dump(self) -> str:
        """JSON."""
        files = []
        for number, file in enumerate(self.diff.files):
            stored = StoredFile.of(file, self.commits[number])
            blob = self.blobs.get(number)
            deflated = None if blob is None else zlib.compress(blob)
            files.append(_ReviewedFile.model_construct(**dict(stored), blob=deflated))
        return _ReviewedFiles(files=tuple(files), base=self.base, head=self.head).model_dump_json()

    @classmethod
    def load(cls, text: str) -> ReviewedDiff:
        stored = _ReviewedFiles.model_validate_json(text)
        blobs = {n: file.blob for n, file in enumerate(stored.files) if file.blob is not None}
        return cls(
            diff=Diff(files=tuple(file.file for file in stored.files)),
            commits=[file.commit for file in stored.files],
            blobs={n: zlib.decompress(blob) for n, blob in blobs.items()},
            base=stored.base,
            head=stored.head,
        )
