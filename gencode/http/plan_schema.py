"""The plan as clients read it, and as they send it back."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gencode.codegen.plan import MAX_LINES, Name, PlannedFile
from gencode.domain.tree import MAX_FILES
from gencode.http.schemas import whole
from gencode.http.views import Moment, ResponseModel, TaskId, Words

Purpose = Annotated[str, Field(max_length=2000)]


class PlanFile(BaseModel):
    """One file that the project shall have."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    purpose: Purpose = ""
    exports: list[Name] = Field([], description="Names that other files may use")
    needs: list[Name] = Field([], description="Paths of files of this plan that it uses")
    lines: Annotated[int, Field(ge=0, le=MAX_LINES), BeforeValidator(whole)] = Field(
        0, description="How long it is expected to become; 0: not said"
    )

    def planned(self) -> PlannedFile:
        return PlannedFile(
            path=self.path,
            purpose=self.purpose,
            exports=tuple(self.exports),
            needs=tuple(self.needs),
            lines=self.lines,
        )


class PlanEdit(BaseModel):
    """What PUT /api/v1/task/{task_id}/plan takes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    files: Annotated[list[PlanFile], Field(min_length=1, max_length=MAX_FILES)]
    summary: Purpose | None = Field(None, description="null: as it is")


class PlanFileView(ResponseModel):
    """One file that the project shall have."""

    path: Words
    purpose: Words
    exports: list[Words]
    needs: list[Words]
    lines: int = Field(ge=0, description="Expected; 0: not said")


class PlanView(ResponseModel):
    """The plan from which the files are written."""

    task_id: TaskId
    awaiting_approval: bool
    approve_by: Moment | None
    revision: int = Field(ge=1, description="Grows with each change; the ETag is made of it")
    summary: Words
    files: list[PlanFileView]
