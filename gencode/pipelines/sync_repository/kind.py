"""The registration of the kind `sync_repository`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from gencode.domain.errors import CrashLoop, Internal, Invalid, TaskTimeout
from gencode.domain.event import Event
from gencode.domain.task import Task
from gencode.http.kind_dependencies import KindDependencies, KindFactory
from gencode.http.kinds import Kind, KindRuntime, PreparedTask, Submission, Submitter
from gencode.pipelines.sync_repository.messages import ADVICE, SYNCING, waiting
from gencode.pipelines.sync_repository.pipeline import SyncRepository
from gencode.workspace.repositories.errors import FETCH_ERRORS, RepositoryUnusable
from gencode.workspace.repositories.fetch_reports import FETCH_PROGRESS
from gencode.workspace.repositories.requests import SYNC_REPOSITORY, SyncRepositoryRequest
from gencode.workspace.repositories.sync import RepositorySync


class SyncRepositoryFields(BaseModel):
    """Fields of a task's JSON that syncs have."""

    repository_id: str | None = None
    repository: str | None = Field(None, description="Its name")
    default_branch: str | None = None
    head_commit: str | None = None


KIND = Kind(
    name=SYNC_REPOSITORY,
    title={"en": "Sync a repository", "zh": "同步仓库"},
    stage_titles={SYNCING: {"en": "Fetching", "zh": "获取"}},
    request_model=SyncRepositoryRequest,
    submission=Submission(
        path="/git/repositories/sync",
        operation_id="syncRepository",
        summary="Sync a repository",
        tool_title="Sync a repository",
        tool_description=(
            "Bring the service's clone of a registered repository to what its host has. Answers at once with "
            "a task_id; ask status for how it goes."
        ),
    ),
    view_model=SyncRepositoryFields,
    errors=(
        *FETCH_ERRORS,
        TaskTimeout,
        CrashLoop,
        Internal,
    ),
    error_advice=ADVICE,
    event_names=(FETCH_PROGRESS, "synced"),
    milestones=(SYNCING,),
)


def start(dependencies: KindDependencies) -> KindRuntime:
    sync = RepositorySync.of(dependencies)

    async def prepare(request: SyncRepositoryRequest, submitter: Submitter) -> PreparedTask:
        try:
            row = await sync.active(request.repository_id, submitter.principal.id)
        except RepositoryUnusable as error:
            raise Invalid.of("repository_id", "usable", error.message) from None
        return PreparedTask(
            request={"repository_id": row.id},
            parameters={"repository_id": row.id, "repository": row.name},
            message=waiting(row.name, submitter.language),
        )

    return KindRuntime(
        pipeline=SyncRepository(sync),
        prepare=prepare,
        view=_view,
        label=lambda task: f"Sync of {task.parameters.get('repository', '')}",
        notification_fields=_notification_fields,
        calls_model=lambda task: False,
    )


def _view(task: Task) -> Mapping[str, Any]:
    known = {**task.parameters, **task.result}
    return {name: known[name] for name in SyncRepositoryFields.model_fields if name in known}


def _notification_fields(task: Task, event: Event) -> Mapping[str, Any]:
    return _view(task)


SYNC = KindFactory(kind=KIND, start=start)
