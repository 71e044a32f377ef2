"""The resource of code diffs: bodies and view."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.task import rfc3339
from gencode.http.base_models import CallbackURL, Moment, RequestModel, ResponseModel, TaskRequest
from gencode.workspace.code_diffs.table import CodeDiff, CompareType, DiffStatus
from gencode.workspace.repositories.resource import RefName
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.resources.models import PRINTABLE, RowId, unchanged
from gencode.workspace.tables import now

CODE_DIFF = "code_diff"
"""The name of the kind of task that compares."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]


class CodeDiffCreation(TaskRequest):
    """`branch`: what `source_ref` has since it left `target_ref`. `commit`: from `target_ref` to
    `source_ref`. `sync`: fetch the repository first, also if both refs are known."""

    name: Name
    repository_id: RowId
    compare_type: CompareType = Field(CompareType.BRANCH, strict=False)
    source_ref: RefName
    target_ref: RefName
    sync: bool = False
    callback_url: CallbackURL | None = None


class CodeDiffChange(RequestModel):
    name: Name = unchanged("")


class CodeDiffRequest(TaskRequest):
    """Compare a code diff again, as its refs are now."""

    code_diff_id: RowId
    callback_url: CallbackURL | None = None


class DiffStats(ResponseModel):
    """Changed files and lines."""

    files: int
    added: int
    deleted: int


class CodeDiffView(ResponseModel):
    """`base_commit`: the commit from which the changes are; null for a patch, and where there was nothing
    before. `stats`: null until it is completed. `commits`: of a patch."""

    id: str
    owner: str
    name: str
    repository_id: str | None
    compare_type: CompareType
    source_ref: str | None
    target_ref: str | None
    source_commit: str | None
    target_commit: str | None
    base_commit: str | None
    stats: DiffStats | None
    commits: int
    status: DiffStatus
    error: str | None
    error_code: str | None
    task_id: str | None
    started_at: Moment | None
    completed_at: Moment | None
    created_at: Moment
    updated_at: Moment


_COLUMNS = (
    *("id", "owner", "name", "repository_id", "source_ref", "target_ref", "source_commit", "target_commit"),
    *("base_commit", "commits", "error", "error_code", "task_id"),
)
_TIMES = ("started_at", "completed_at", "created_at", "updated_at")


def view_of(row: CodeDiff) -> CodeDiffView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    times = {name: rfc3339(at) if (at := getattr(row, name)) else None for name in _TIMES}
    is_completed = row.status == DiffStatus.COMPLETED
    stats = DiffStats(files=row.files, added=row.added, deleted=row.deleted)
    return CodeDiffView(
        **columns,
        **times,
        compare_type=CompareType(row.compare_type),
        status=DiffStatus(row.status),
        stats=stats if is_completed else None,
    )


async def _complete(_session: AsyncSession, row: CodeDiff) -> None:
    """A patch is read before its row is made."""
    if row.compare_type == CompareType.PATCH and row.completed_at is None:
        row.started_at = row.completed_at = now()


CODE_DIFFS: Resource[CodeDiff, CodeDiffView] = Resource(
    name="CodeDiff",
    title="code diff",
    path="/code-diffs",
    table=CodeDiff,
    creation=CodeDiffCreation,
    change=CodeDiffChange,
    view_model=CodeDiffView,
    view=view_of,
    filters=("repository_id", "status", "compare_type"),
    before_flush=_complete,
)
