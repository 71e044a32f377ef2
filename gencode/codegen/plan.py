"""The plan of a project: its files, what each is for and what it depends on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gencode.llm.port import Usage

PLAN_CHECKPOINT = "plan"
MAX_LINES = 10**6
"""Most lines of one planned file. A model can answer any number, and there are integers that no float can
represent."""
Reason = Literal["binary", "workflow", "git", "directory", "removed"]
Name = Annotated[str, Field(max_length=300)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class PlannedFile(_Frozen):
    """One entry of a plan.

    exports  names that other files may use
    needs    paths of the files that it uses
    lines    its expected length; 0: unknown
    """

    path: Annotated[str, Field(min_length=1)]
    purpose: Annotated[str, Field(max_length=2000)] = ""
    exports: tuple[Name, ...] = ()
    needs: tuple[Name, ...] = ()
    lines: Annotated[int, Field(ge=0), AfterValidator(lambda lines: min(lines, MAX_LINES))] = 0


class LeftOut(_Frozen):
    """A file that was planned and is not written.

    reason     "binary" (not a text file), "workflow" (switched off), "git" (Git itself reads it),
               "directory", or "removed" by the user who was asked for approval
    needed_by  paths of the planned files that were to use it
    """

    path: str
    reason: Reason
    needed_by: tuple[str, ...] = ()


class Plan(_Frozen):
    """The files of the project, in the model's order."""

    summary: Annotated[str, Field(max_length=2000)] = ""
    files: Annotated[tuple[PlannedFile, ...], Field(min_length=1)]
    left_out: tuple[LeftOut, ...] = ()


class PlanCheckpoint(_Frozen):
    """A plan and the tokens of the call that made it.

    revision  1 for the model's own plan; each change by a user adds 1
    """

    plan: Plan
    usage: Usage = Usage()
    revision: int = 1
