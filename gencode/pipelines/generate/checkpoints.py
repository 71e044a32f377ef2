"""The pipeline's checkpoints of a task's plan and approval.

Those of the files are in `gencode.codegen.file_checkpoints`, that of the commit is in `commit_checkpoint`,
those of the delivery are in `gencode.delivery.artifacts`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.codegen.plan import PLAN_CHECKPOINT, PlanCheckpoint

APPROVED = "approved"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class ApprovalCheckpoint(_Frozen):
    """A user approved this revision of the plan: its files may be written."""

    revision: int


def saved_plan(checkpoints: Checkpoints) -> PlanCheckpoint | None:
    """The newest revision of the plan; None before the model has answered."""
    stored = checkpoints.get(PLAN_CHECKPOINT)
    return PlanCheckpoint.model_validate_json(stored) if stored is not None else None
