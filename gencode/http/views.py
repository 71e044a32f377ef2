"""The shapes that clients get. The document at /openapi.json is made of them, so it cannot lie."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gencode.domain.callback import Callback
from gencode.domain.task import PENDING, Task, rfc3339
from gencode.http.links import status_url, task_url
from gencode.llm.progress import ProgressRegistry, ProgressSnapshot
from gencode.notifications.url_policy import origin_of
from gencode.pipelines.generate.bundle import Bundle
from gencode.pipelines.generate.estimate import Estimate
from gencode.pipelines.generate.files import FileState
from gencode.pipelines.generate.progress import task_progress
from gencode.pipelines.generate.report import Report

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC")]
TaskId = Annotated[str, Field(json_schema_extra={"format": "uuid"}, description="UUIDv7")]
Words = Annotated[str, BeforeValidator(lambda text: text.encode("utf-8", "replace").decode())]
"""Text that may quote what somebody said: a lone surrogate, which no UTF-8 can hold, becomes "?"."""
Link = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class ResponseModel(BaseModel):
    """A body of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Accepted(ResponseModel):
    """The task is stored; it will run, whatever becomes of this process."""

    task_id: TaskId
    status: str = Field(description="pending; of a task that goes on, the stage that it failed in")
    message: Words
    model: str = Field(description="What will answer: a provider, or provider/model-id")
    status_url: Link
    task_url: Link


class FailureView(ResponseModel):
    """Why a task failed."""

    code: str = Field(description="Stable; the last word of a problem's type, too")
    message: Words
    retryable: bool = Field(description="Whether the same request can succeed later")
    stage: str = Field(description="What it was doing; a retry goes on from there")


class CallbackView(ResponseModel):
    """Whom the task is told to, and how far that has come."""

    receiver: str = Field(description="Scheme, name and port: the rest of the address is kept to ourselves")
    state: Literal["open", "failing", "ended"] = Field(description="ended: it is told no more")
    told: int = Field(ge=0, description="The newest event that it was told, or did not need to be")
    failures: int = Field(ge=0, description="Attempts that failed since the last that did not")
    next_attempt_at: Moment | None
    reason: Words | None = Field(description="Why the last attempt failed, or why it ended")


class ProgressView(ResponseModel):
    """How far a task is, as measured; null is not known, or not known yet."""

    percent: int | None = Field(ge=0, le=100, description="Never falls within a run; 100: it is completed")
    seconds_left: int | None = Field(ge=0, description="Until all files are written")
    stalled: bool = Field(description="A model call under way has been silent for 15 seconds or more")
    rate_limited_until: Moment | None = Field(description="The provider asked to be left alone until then")


class TaskView(ResponseModel):
    """A task as its client sees it."""

    task_id: TaskId
    kind: str
    status: str
    message: Words
    repo_url: str | None = Field(description="Opens in a browser, and git clone takes it")
    clone_url: str | None
    commit: str | None = Field(description="SHA of the pushed commit")
    repo_name: str | None
    github_org: str | None
    host: str | None = Field(description="Name of the Git host; null of a task older than hosts had names")
    model: str | None
    private: bool | None
    cached_from: str | None = Field(description="The earlier task whose plan and files these are")
    awaiting_approval: bool = Field(description="The plan waits for POST .../approve")
    approve_by: Moment | None = Field(description="When it has waited long enough, while it does")
    progress: ProgressView
    error: FailureView | None
    last_event_id: int = Field(ge=0, description="The newest event on the task's stream")
    created_at: Moment
    updated_at: Moment
    status_url: Link
    task_url: Link
    callback: CallbackView | None = Field(None, description="Of one task only, not in lists")


class TaskList(ResponseModel):
    """Newest first."""

    tasks: list[TaskView]
    next_cursor: str | None = Field(description="Send it as ?cursor= for the next page; null on the last")


class TicketView(ResponseModel):
    """Opens one task's event stream without a key: GET /api/v1/status/{task_id}?ticket=..."""

    ticket: str
    expires_at: Moment


class ChatReply(ResponseModel):
    """An answer to a chat room's command."""

    response_type: Literal["ephemeral"] = Field(description="For who gave the command only")
    text: Words


class WebhookSecret(ResponseModel):
    """What the client's receivers check signatures with (Standard Webhooks)."""

    secret: str = Field(json_schema_extra={"pattern": "^whsec_"})


class ReportView(Report, ResponseModel):
    """What became of a task: plan, files, findings, cost, times."""


class BundleView(Bundle, ResponseModel):
    """All that it takes to make the commit again."""


class EstimateView(Estimate, ResponseModel):
    """What a request would probably cost: half of comparable tasks lie between low and high."""


class FileView(ResponseModel):
    """One file of a task's project."""

    path: Words
    bytes: int = Field(ge=0, description="So far; 0 of one that is not begun")
    state: FileState = Field(description="whole: can be read; committed: as it is, or will be, in the commit")
    purpose: Words = Field("", description="As planned")


class FileList(ResponseModel):
    """The plan's files, and what the project has besides."""

    task_id: TaskId
    complete: bool = Field(description="Whether every planned file is whole")
    files: list[FileView]


class BrokenRule(ResponseModel):
    """One rule that the request breaks."""

    field: Words
    rule: str
    message: Words


class Problem(ResponseModel):
    """What went wrong and what to do next (RFC 9457)."""

    type: str = Field(description="urn:gencode:error: and the code")
    title: str
    status: int
    detail: Words
    code: str
    retryable: bool
    errors: list[BrokenRule] = Field([], description="Each broken rule of a VALIDATION problem")


class Health(ResponseModel):
    """Whether new tasks are accepted."""

    status: Literal["ok", "unavailable"]
    reason: Words = Field("", description="Why not")
    running: int = Field(0, ge=0, description="Tasks that run")
    waiting: int = Field(0, ge=0, description="Tasks in line")


def task_view(task: Task, api: str, progress_registry: ProgressRegistry) -> TaskView:
    """`api`: see gencode.http.links; `board`: what runs."""
    asked, known = task.parameters, task.result
    return TaskView(
        task_id=task.id,
        kind=task.kind,
        status=task.status,
        message=task.message,
        repo_url=known.get("repo_url"),
        clone_url=known.get("clone_url"),
        commit=known.get("commit"),
        repo_name=asked.get("repo_name"),
        github_org=asked.get("github_org"),
        host=asked.get("host"),
        model=asked.get("model"),
        private=asked.get("private"),
        cached_from=known.get("cached_from"),
        awaiting_approval=task.paused_until is not None,
        approve_by=rfc3339(task.paused_until) if task.paused_until else None,
        progress=progress_view(task_progress(progress_registry, task)),
        error=_failure(task),
        last_event_id=task.sequence,
        created_at=rfc3339(task.created_at),
        updated_at=rfc3339(task.updated_at),
        status_url=status_url(api, task.id),
        task_url=task_url(api, task.id),
    )


def progress_view(view: ProgressSnapshot) -> ProgressView:
    until = view.rate_limited_until
    return ProgressView(
        percent=view.percent,
        seconds_left=view.seconds_left,
        stalled=view.stalled,
        rate_limited_until=rfc3339(until) if until else None,
    )


def callback_view(callback: Callback) -> CallbackView:
    failing, due = callback.failures > 0, callback.due
    again = datetime.fromtimestamp(due / 1000, UTC) if failing and due is not None else None
    return CallbackView(
        receiver=origin_of(callback.url),
        state="ended" if callback.ended else "failing" if failing else "open",
        told=callback.position,
        failures=callback.failures,
        next_attempt_at=rfc3339(again) if again else None,
        reason=callback.reason or None,
    )


def _failure(task: Task) -> FailureView | None:
    if not task.failure:
        return None
    failed = task.failure
    return FailureView(
        code=failed.code, message=failed.message, retryable=failed.retryable, stage=failed.stage or PENDING
    )
