"""The files of a task as far as they are written, whatever has become of the task."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gencode.codegen.chunked_file_writer import joined
from gencode.codegen.continuation_merge import file_text
from gencode.domain.errors import TreeError
from gencode.domain.tree import Paths
from gencode.pipelines.generate.artifacts import PIECE, KeptSnapshot, Piece
from gencode.pipelines.generate.checkpoints import Checkpoints, Pieces, kept_plan, parts, pieces, repairs

OLDEST = (1980, 1, 1, 0, 0, 0)
"""Times before that, such as those of a clock that nobody has set, cannot stand in a zip."""


class State(StrEnum):
    """How far a file is."""

    PLANNED = "planned"
    WRITING = "writing"
    """A part of it is kept, or the model is at it."""
    WHOLE = "whole"
    """As it was written; the check may have it written anew."""
    COMMITTED = "committed"
    """As it is in the commit, or will be: it has passed the checks and the look for secrets."""

    @property
    def is_whole(self) -> bool:
        return self in (State.WHOLE, State.COMMITTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """`text`: so far; what UTF-8 can hold."""

    state: State
    text: str = ""
    purpose: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """By path, in the plan's order; then what the project has besides. Every path is safe to write.

    complete   the plan is known, and all of them are whole
    """

    by_path: Mapping[str, File]
    complete: bool

    def whole(self) -> dict[str, str]:
        """The texts of those that are."""
        return {path: file.text for path, file in self.by_path.items() if file.state.is_whole}


def files(checkpoints: Checkpoints) -> Files:
    """Before there is a plan: the files that were begun while it was being said."""
    planned = kept_plan(checkpoints)
    purposes = {file.path: file.purpose for file in planned.plan.files} if planned else {}
    if "snapshot" in checkpoints:
        return Files(by_path=_committed(checkpoints, purposes), complete=True)
    written = _newest(checkpoints)
    paths = purposes if planned else _together(written)
    found = {path: _file(path, written, purposes.get(path, "")) for path in paths}
    whole = all(file.state.is_whole for file in found.values())
    return Files(by_path=found, complete=whole and planned is not None)


def archive(texts: Mapping[str, str], folder: str, at: datetime) -> bytes:
    """A zip of files by path, below `folder`: of the same files the same bytes. `at` is in UTC."""
    packed = io.BytesIO()
    moment = max(OLDEST, at.timetuple()[:6])
    with zipfile.ZipFile(packed, "w") as target:
        for path in sorted(texts):
            entry = zipfile.ZipInfo(f"{folder}/{path}", date_time=moment)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # a plain file, as Unix says it
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, texts[path])
    return packed.getvalue()


def _committed(checkpoints: Checkpoints, purposes: Mapping[str, str]) -> dict[str, File]:
    texts = KeptSnapshot.model_validate_json(checkpoints["snapshot"]).files
    order = [path for path in {**purposes, **texts} if path in texts]
    return {
        path: File(state=State.COMMITTED, text=texts[path], purpose=purposes.get(path, "")) for path in order
    }


def _newest(checkpoints: Checkpoints) -> Pieces:
    """Of each path the last answers that make a whole file; while there are none, those so far."""
    found = {**_in_parts(checkpoints), **pieces(checkpoints, PIECE)}
    for repaired in repairs(checkpoints).values():
        found.update({path: answers for path, answers in repaired.items() if answers[-1].whole})
    return found


def _in_parts(checkpoints: Checkpoints) -> Pieces:
    """As much of each file as the parts that are kept make, in their order."""
    written: dict[str, list[tuple[Piece, ...]]] = {}
    for of_part in parts(checkpoints).values():
        for path, answers in of_part.items():
            written.setdefault(path, []).append(answers)
    return {
        path: (Piece(text=joined(answers, path), whole=False, joined=True),)
        for path, answers in written.items()
    }


def _file(path: str, written: Pieces, purpose: str) -> File:
    if not (answers := written.get(path)):
        return File(state=State.PLANNED, purpose=purpose)
    state = State.WHOLE if answers[-1].whole else State.WRITING
    text = file_text(answers, path).encode("utf-8", "replace").decode()
    return File(state=state, text=text, purpose=purpose)


def _together(paths: Iterable[str]) -> Iterator[str]:
    """Those that can stand in one tree: attempts at a plan that failed may have left others."""
    proven = Paths(workflows=True)
    for path in paths:
        try:
            proven.enter(path)
        except TreeError:
            continue
        yield path
