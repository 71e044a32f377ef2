"""The pipeline's checkpoints of a task's plan, approval, repository and push.

Those of the files are in `gencode.codegen.file_checkpoints`, that of the commit is in `commit`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.codegen.plan import PLAN_CHECKPOINT, PlanCheckpoint

APPROVED = "approved"
REPOSITORY = "repo"
PUSHED = "pushed"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class ApprovalCheckpoint(_Frozen):
    """A user approved this revision of the plan: its files may be written."""

    revision: int


class RepositoryCheckpoint(_Frozen):
    """The repository, with the name and URLs that the Git host normalised."""

    owner: str
    name: str
    web_url: str
    clone_url: str
    host: str = ""


class PushCheckpoint(_Frozen):
    """The SHA of the pushed commit."""

    commit: str


def saved_plan(checkpoints: Checkpoints) -> PlanCheckpoint | None:
    """The newest revision of the plan; None before the model has answered."""
    stored = checkpoints.get(PLAN_CHECKPOINT)
    return PlanCheckpoint.model_validate_json(stored) if stored is not None else None
