"""What the stages pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gencode.blueprints import Blueprint, Finding
from gencode.blueprints.drafting import Entry
from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.blueprint.source import Source


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Outline(_Stored):
    """entries  what was said, each element once
    parts    by position of the entry: the parts of the requirements that said it
    left_out  elements beyond the most that are described
    """

    entries: list[Entry]
    parts: list[list[int]] = Field(default_factory=list)
    by_rules: bool = False
    left_out: int = 0


class GroupLedger(_Stored):
    """What became of the call about a group of elements. `code`: of the error."""

    about: str
    elements: list[str]
    missing: list[str] = Field(default_factory=list)
    code: str | None = None
    message: str | None = None


class Details(_Stored):
    """entries  what was said about the elements, in the order of the outline"""

    entries: list[Entry]
    groups: list[GroupLedger]


class Made(_Stored):
    """The blueprint that the task ends with.

    rounds    how often errors went back to the model
    left_out  elements beyond the most that are described, and what was said of elements that there are not
    """

    spec: Blueprint
    findings: list[Finding]
    mended: list[Finding]
    rounds: int
    left_out: int
    is_complete: bool
    by_rules: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Each of the last four is None before the end of its stage.

    request   as it is stored
    language  of the task's messages
    """

    run: ModelRun
    request: Mapping[str, Any]
    language: str
    source: Source | None = None
    outline: Outline | None = None
    details: Details | None = None
    made: Made | None = None

    @property
    def blueprint_id(self) -> str | None:
        """Of the draft that is changed."""
        found: str | None = self.request.get("blueprint_id")
        return found
