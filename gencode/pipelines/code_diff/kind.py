"""The registration of the kind `code_diff`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.errors import CrashLoop, Internal, Invalid, NotFound, TaskTimeout
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, PreparedTask, Submission, Submitter
from gencode.pipelines.code_diff.messages import COMPARING, SYNCING, waiting
from gencode.pipelines.code_diff.pipeline import COMPARED, ComparesCode
from gencode.workspace.code_diffs.errors import DiffUnusable
from gencode.workspace.code_diffs.resource import CODE_DIFF, CodeDiffRequest
from gencode.workspace.code_diffs.store import CodeDiffs
from gencode.workspace.repositories.clones import RepositoryClones
from gencode.workspace.repositories.errors import FETCH_ERRORS, CloneMissing, RefUnknown
from gencode.workspace.repositories.fetch_reports import FETCH_PROGRESS
from gencode.workspace.repositories.sync import RepositorySync
from gencode.workspace.workspace import Workspace


class CodeDiffFields(BaseModel):
    """Fields of a task's JSON that code diffs have."""

    code_diff_id: str | None = None
    diff: str | None = Field(None, description="Its name")
    source_commit: str | None = None
    base_commit: str | None = None
    added: int | None = Field(None, description="Lines")
    deleted: int | None = Field(None, description="Lines")


KIND = Kind(
    name=CODE_DIFF,
    title={"en": "Compare code", "zh": "比较代码"},
    stage_titles={
        SYNCING: {"en": "Looking for the commits", "zh": "查找提交"},
        COMPARING: {"en": "Comparing", "zh": "比较"},
    },
    request_model=CodeDiffRequest,
    submission=Submission(
        path="/code-diffs/compare",
        operation_id="compareCodeDiff",
        summary="Compare a code diff again, as its refs are now",
        tool_title="Compare code again",
        tool_description=(
            "Compare a code diff of a registered repository again, as its branches are now. Answers at once "
            "with a task_id; ask status for how it goes."
        ),
    ),
    view_model=CodeDiffFields,
    errors=(
        *FETCH_ERRORS,
        CloneMissing,
        RefUnknown,
        DiffUnusable,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    event_names=(FETCH_PROGRESS, COMPARED),
    milestones=(COMPARING,),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    diffs = CodeDiffs(dependencies.extension(Workspace), dependencies.store)
    clones = dependencies.extension(RepositoryClones)

    async def prepare(request: CodeDiffRequest, submitter: Submitter) -> PreparedTask:
        try:
            row = await diffs.get(request.code_diff_id, submitter.principal.id)
        except NotFound:
            raise Invalid.of("code_diff_id", "unknown", "you have no such code diff") from None
        if row.repository_id is None:
            raise Invalid.of("code_diff_id", "patch", "it is an uploaded patch: there is nothing to compare")
        return PreparedTask(
            request={"code_diff_id": row.id},
            parameters={"code_diff_id": row.id, "diff": row.name},
            message=waiting(row.name, submitter.language),
        )

    return KindRuntime(
        pipeline=ComparesCode(diffs, clones, RepositorySync.of(dependencies)),
        prepare=prepare,
        view=_view,
        label=lambda task: f"Diff {task.parameters.get('diff', '')}",
        notification_fields=_notification_fields,
        calls_model=lambda task: False,
    )


def _view(task: Task) -> Mapping[str, Any]:
    known = {**task.parameters, **task.result}
    return {name: known[name] for name in CodeDiffFields.model_fields if name in known}


def _notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return _view(task)


CODE_DIFF_KIND = KindFactory(kind=KIND, start=start)
