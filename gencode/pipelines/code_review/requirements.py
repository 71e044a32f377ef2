"""The requirements that a change is compared with, and what of them it meets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import Field

from gencode.diffs import Side
from gencode.pipelines.code_review.findings import Record

MAX_REQUIREMENTS = 200
MAX_SHOWN = 30_000
"""Characters of all requirements in a prompt."""
MAX_EVIDENCE = 20
"""Lines of one requirement."""


class Met(StrEnum):
    """What the change does with a requirement. The first of them that is proven by a line counts."""

    MET = "met"
    PARTLY = "partly"
    MISSING = "missing"
    """The change is about it, and does not do it."""
    NOT_TOUCHED = "not_touched"


class RequiredText(Record):
    """A requirement as the review was given it."""

    id: str
    statement: str
    criteria: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        criteria = "".join(f"\n  - {one}" for one in self.criteria)
        return f"{self.id}: {self.statement}{criteria}"


class Evidence(Record):
    """A proven line that shows something about a requirement. `file`, `hunk`: positions in the diff."""

    requirement: str
    status: Met
    path: str
    side: Side
    line: int
    anchor: str
    quote: str
    note: str = ""
    file: int = 0
    hunk: int | None = None


class TracedRequirement(Record):
    """A requirement, and the lines that prove its status."""

    id: str
    statement: str
    status: Met
    evidence: tuple[Evidence, ...] = Field(description="None of a requirement that is not touched")


def fitting(requirements: Iterable[RequiredText]) -> list[RequiredText]:
    """The first ones, as many as a prompt may have."""
    kept: list[RequiredText] = []
    left = MAX_SHOWN
    for one in requirements:
        left -= len(one.shown) + 1
        if left < 0 or len(kept) == MAX_REQUIREMENTS:
            break
        kept.append(one)
    return kept


def traced(requirements: Sequence[RequiredText], evidence: Iterable[Evidence]) -> list[TracedRequirement]:
    """Every requirement, in order."""
    by_id: dict[str, list[Evidence]] = {one.id: [] for one in requirements}
    for one in evidence:
        if one.requirement in by_id and one.status is not Met.NOT_TOUCHED:
            by_id[one.requirement].append(one)
    return [_traced(one, by_id[one.id]) for one in requirements]


def _traced(requirement: RequiredText, evidence: list[Evidence]) -> TracedRequirement:
    statuses = {one.status for one in evidence}
    status = next((status for status in Met if status in statuses), Met.NOT_TOUCHED)
    return TracedRequirement(
        id=requirement.id,
        statement=requirement.statement,
        status=status,
        evidence=tuple(sorted(evidence, key=lambda one: list(Met).index(one.status))[:MAX_EVIDENCE]),
    )
