"""Findings as they are stored and shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from gencode.diffs import LineKind, Side


class Severity(StrEnum):
    """The most severe first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class Category(StrEnum):
    BUG = "bug"
    SECURITY = "security"
    PERFORMANCE = "performance"
    MAINTAINABILITY = "maintainability"
    TEST = "test"
    REQUIREMENT = "requirement"


class FindingStatus(StrEnum):
    """What a finding is among the reviews of one subject."""

    NEW = "new"
    STILL_THERE = "still_there"
    RETURNED = "returned"
    """It was fixed, and is there again."""
    FIXED = "fixed"
    IGNORED = "ignored"


class Record(BaseModel):
    """A frozen value that is stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class LineReplacement(Record):
    """Lines `first` to `last` of the new file become `replacement`; "" deletes them. It applies to the text
    `old` only, which these lines have."""

    first: int
    last: int
    old: str
    replacement: str


class Finding(Record):
    """id          of this finding among all of its owner
    identity    the same in each review of the same code, see `finding_identity`
    path        for people; unusual characters are escaped
    side        of the file; old: the line is deleted
    line        the proven line, from 1; None if none is proven: `unanchored` says why
    end_line    the last line, the same as `line` for a single one
    anchor      the proven anchor, such as 12#a3f1; "" without a line
    in_diff     what the diff does with the line; None outside of its hunks
    quote       the text of the line
    suggestion  only if it applies
    confidence  0 to 1, as the model gives it
    file, hunk  positions in the diff
    merged      further findings that said the same
    is_known    taken from an earlier review of the same hunk
    """

    id: str = ""
    identity: str
    path: str
    side: Side = Side.NEW
    line: int | None = None
    end_line: int | None = None
    anchor: str = ""
    in_diff: LineKind | None = None
    unanchored: str = ""
    quote: str = ""
    severity: Severity
    category: Category
    title: str
    body: str
    suggestion: LineReplacement | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    status: FindingStatus = FindingStatus.NEW
    commit: str = ""
    file: int = 0
    hunk: int | None = None
    merged: int = 0
    is_known: bool = False

    @property
    def place(self) -> str:
        """For people: "src/a.py:12", "src/a.py:12-14", "src/a.py"."""
        if self.line is None:
            return self.path
        end = f"-{self.end_line}" if self.end_line not in (None, self.line) else ""
        deleted = " (deleted)" if self.side is Side.OLD else ""
        return f"{self.path}:{self.line}{end}{deleted}"

    def data(self) -> dict[str, Any]:
        """For an event: before its id and status are known."""
        return self.model_dump(mode="json", exclude={"id", "status"})


_NAMESPACE = UUID("4b9c1f3e-6c0b-5a43-9d0e-6a3c5f0b8d11")


def finding_id(owner: str, subject: str, identity: str) -> str:
    """The same whenever the same finding is reported to the same owner for the same subject."""
    return str(uuid5(_NAMESPACE, "\0".join((owner, subject, identity))))
