"""The files of a task that are written so far, in any state of the task, and the archive of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gencode.codegen.continuation_merge import file_text
from gencode.codegen.file_checkpoints import Checkpoints, Piece, Pieces, read_parts, read_pieces, read_repairs
from gencode.codegen.multipart_file_generator import join_parts
from gencode.domain.errors import TreeError
from gencode.domain.tree import PathSet
from gencode.pipelines.generate.checkpoints import saved_plan
from gencode.pipelines.generate.commit_checkpoint import CommitContent, read_commit

OLDEST = (1980, 1, 1, 0, 0, 0)
"""A zip entry cannot have an earlier time, such as that of a clock that was never set."""


class FileState(StrEnum):
    """The progress of a file."""

    PLANNED = "planned"
    WRITING = "writing"
    """A part of it is stored, or a model call for it is in progress."""
    WHOLE = "whole"
    """The model has written all of it; validation may have it repaired."""
    COMMITTED = "committed"
    """It is in the commit: it has passed validation and the secrets scan."""

    @property
    def is_whole(self) -> bool:
        return self in (FileState.WHOLE, FileState.COMMITTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """`text`: what is written so far, without lone surrogates."""

    state: FileState
    text: str = ""
    purpose: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Files by path, in the plan's order; then further files of the commit. Every path is safe to write.

    complete  the plan is known, and every file is complete
    """

    by_path: Mapping[str, File]
    complete: bool

    def whole(self) -> dict[str, str]:
        """The texts of the complete files."""
        return {path: file.text for path, file in self.by_path.items() if file.state.is_whole}


def files(checkpoints: Checkpoints) -> Files:
    """The files by path. Before the plan is complete, they are those that were started while it streamed
    in."""
    planned = saved_plan(checkpoints)
    purposes = {file.path: file.purpose for file in planned.plan.files} if planned else {}
    if commit := read_commit(checkpoints):
        return Files(by_path=_committed(commit, purposes), complete=True)
    written = _newest_pieces(checkpoints)
    paths = purposes if planned else _compatible(written)
    found = {path: _file(path, written, purposes.get(path, "")) for path in paths}
    whole = all(file.state.is_whole for file in found.values())
    return Files(by_path=found, complete=whole and planned is not None)


def archive(texts: Mapping[str, str], directory: str, at: datetime) -> bytes:
    """A zip of files by path, below `directory`. Equal arguments make equal bytes. `at` is in UTC."""
    packed = io.BytesIO()
    modified = max(OLDEST, at.timetuple()[:6])
    with zipfile.ZipFile(packed, "w") as target:
        for path in sorted(texts):
            entry = zipfile.ZipInfo(f"{directory}/{path}", date_time=modified)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix; a regular file
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, texts[path])
    return packed.getvalue()


def _committed(commit: CommitContent, purposes: Mapping[str, str]) -> dict[str, File]:
    texts = commit.files
    order = [path for path in {**purposes, **texts} if path in texts]
    return {
        path: File(state=FileState.COMMITTED, text=texts[path], purpose=purposes.get(path, ""))
        for path in order
    }


def _newest_pieces(checkpoints: Checkpoints) -> Pieces:
    """The newest answers that complete each file, by path; if there are none, those so far."""
    found = {**_joined_parts(checkpoints), **read_pieces(checkpoints)}
    for repaired in read_repairs(checkpoints).values():
        found.update({path: answers for path, answers in repaired.items() if answers[-1].whole})
    return found


def _joined_parts(checkpoints: Checkpoints) -> Pieces:
    """The stored parts of each large file, joined in their order, by path."""
    written: dict[str, list[tuple[Piece, ...]]] = {}
    for of_part in read_parts(checkpoints).values():
        for path, answers in of_part.items():
            written.setdefault(path, []).append(answers)
    return {
        path: (Piece(text=join_parts(answers, path), whole=False, joined=True),)
        for path, answers in written.items()
    }


def _file(path: str, written: Pieces, purpose: str) -> File:
    if not (answers := written.get(path)):
        return File(state=FileState.PLANNED, purpose=purpose)
    state = FileState.WHOLE if answers[-1].whole else FileState.WRITING
    text = file_text(answers, path).encode("utf-8", "replace").decode()
    return File(state=state, text=text, purpose=purpose)


def _compatible(paths: Iterable[str]) -> Iterator[str]:
    """The paths that can be in one tree: a failed attempt at a plan may have left other paths."""
    tree = PathSet(workflows=True)
    for path in paths:
        try:
            tree.add(path)
        except TreeError:
            continue
        yield path
