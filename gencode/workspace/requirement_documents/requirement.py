"""The requirements of a document, as they are stored and shown."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_REQUIREMENTS = 2000
"""Of a document."""


class RequirementType(StrEnum):
    FUNCTIONAL = "functional"
    NON_FUNCTIONAL = "non_functional"
    CONSTRAINT = "constraint"


class PartStatus(StrEnum):
    """What became of a part of the document."""

    ANALYSED = "analysed"
    CUT = "cut"
    """The model's answers were too long even for the smallest part: requirements may be missing."""
    FAILED = "failed"
    OVER_BUDGET = "over_budget"
    """The limits of the request allowed no further call."""


class _Value(BaseModel):
    """Fields of a later version are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class SourceQuote(_Value):
    """The words of the document that a requirement follows from.

    is_verified  whether they stand in the document, from `start` to `end` (characters)
    section      the heading that they stand under
    """

    text: str
    is_verified: bool
    start: int | None = None
    end: int | None = None
    page: int | None = None
    section: str = ""


class Requirement(_Value):
    """`id`: such as R12-3fa9c1; it stays the same over versions of the document, see `identity`."""

    id: str
    type: RequirementType
    statement: str
    source: SourceQuote
    acceptance_criteria: list[str] = Field(default_factory=list)
    open_questions: list[str] = Field(default_factory=list)
    test_points: list[str] = Field(default_factory=list)


class Contradiction(_Value):
    """`first`, `second`: ids of requirements."""

    first: str
    second: str
    reason: str


class PartLedger(_Value):
    """What became of a part of the document, from `start` to `end` (characters). Parts cover the whole text.

    requirements  that were found in it, before duplicates were merged
    code          of the error, for `failed` and `over_budget`
    """

    number: int
    section: str
    start: int
    end: int
    status: PartStatus
    requirements: int
    code: str | None = None
    message: str | None = None


class ComparisonLedger(_Value):
    """Whether requirements were searched for contradictions.

    compared  of how many requirements each pair was looked at
    """

    status: PartStatus
    compared: int
    of: int
    code: str | None = None
    message: str | None = None


class Analysis(_Value):
    """language      of the document
    is_complete   whether every part was analysed
    by_rules      whether rules of the offline model made it, in place of a model
    next_number   of the next new requirement
    """

    document_id: str
    document_name: str
    task_id: str
    model: str
    language: str
    is_complete: bool
    by_rules: bool
    requirements: Annotated[list[Requirement], Field(max_length=MAX_REQUIREMENTS)]
    contradictions: list[Contradiction]
    open_questions: list[str] = Field(description="That concern no single requirement")
    parts: list[PartLedger]
    comparison: ComparisonLedger
    left_out: int = Field(description="Requirements beyond the most that a document may have")
    next_number: int


def numbers_of(requirements: Sequence[Requirement]) -> list[int]:
    """The numbers in their ids."""
    return [int(requirement.id.partition("-")[0].removeprefix("R")) for requirement in requirements]
