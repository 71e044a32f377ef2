"""The JSON that clients receive for every kind of task.

Tasks are shown by dicts, not by models: a page of the list has a hundred, and validating each would delay
the event loop. The models describe the dicts in the OpenAPI document; a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from gencode.domain.callback import Callback
from gencode.domain.errors import RetryHelps
from gencode.domain.task import PENDING, Failure, Task, rfc3339
from gencode.http.base_models import Link, Moment, ResponseModel, TaskId, Words
from gencode.http.kinds import ActiveKinds, KindRegistry
from gencode.http.links import status_url, task_url
from gencode.llm.progress_tracker import ProgressSnapshot
from gencode.outbound.url_policy import origin_of


class Accepted(ResponseModel):
    """The task is stored; it will run even if this process ends."""

    task_id: TaskId
    status: str = Field(description="pending; for a continued task, the stage in which it failed")
    message: Words
    model: str | None = Field(
        None,
        description="The model that will be used: a provider, or provider/model-id; only of kinds with one",
    )
    status_url: Link
    task_url: Link


class FailureView(ResponseModel):
    """Why a task failed."""

    code: str = Field(description="Stable; the last word of a problem's type, too")
    message: Words
    retryable: bool = Field(description="Whether the same request, submitted again, can succeed later")
    stage: str = Field(description="The stage in which it failed; a retry continues there")
    retry_helps: str = Field(
        description="When a retry of the task can succeed: now, later, after_change or never",
        examples=[help.value for help in RetryHelps],
    )
    retry_fields: list[str] = Field(description="Fields of the retry's body whose other values can help")


class CallbackView(ResponseModel):
    """The receiver of the task's status changes, and the state of the delivery."""

    receiver: str = Field(description="Scheme, name and port: the rest of the address is not shown")
    state: Literal["open", "failing", "ended"] = Field(description="ended: nothing more is sent")
    told: int = Field(ge=0, description="The newest event that was delivered, or did not need to be")
    failures: int = Field(ge=0, description="Failed attempts since the last successful one")
    next_attempt_at: Moment | None
    reason: Words | None = Field(description="Why the last attempt failed, or why it ended")


class ProgressView(ResponseModel):
    """The measured progress of a task; null if unknown."""

    percent: int | None = Field(ge=0, le=100, description="Never falls within a run; 100: it is completed")
    seconds_left: int | None = Field(ge=0, description="Until all files are written")
    stalled: bool = Field(description="A model call has sent nothing for 15 seconds or more")
    rate_limited_until: Moment | None = Field(description="The provider's rate limit delays calls until then")


class CoreTaskView(ResponseModel):
    """The fields that tasks of every kind have."""

    task_id: TaskId
    kind: str
    client: Words = Field(
        description="Whose task it is: the name of an API key; local: of a service without keys"
    )
    status: str
    state: str = Field(
        description="queued, running, paused, succeeded, failed or cancelled; unknown: by a newer version"
    )
    message: Words
    awaiting_approval: bool = Field(description="It waits for POST .../approve")
    approve_by: Moment | None = Field(description="The deadline of the decision, while one is due")
    progress: ProgressView
    error: FailureView | None
    last_event_id: int = Field(ge=0, description="The newest event on the task's stream")
    created_at: Moment
    updated_at: Moment
    status_url: Link
    task_url: Link
    messages: dict[str, str] | None = Field(
        None,
        description="`message` by language (en, zh); only in responses with one task, and not of one that "
        "failed or waits for approval",
    )
    callback: CallbackView | None = Field(None, description="Only in responses with one task, not in lists")


def task_view_model(kinds: KindRegistry) -> type[BaseModel]:
    """Creates the model TaskView: the core fields, and those of each kind, which tasks of other kinds
    lack."""
    bases: tuple[type[BaseModel], ...] = (
        CoreTaskView,
        *(kind.view_model for kind in kinds if kind.view_model),
    )
    status = Annotated[str, Field(json_schema_extra={"enum": list(kinds.statuses)})]
    return create_model("TaskView", __base__=bases, __doc__="A task as its client sees it.", status=status)


def task_list_model(task_view: type[BaseModel]) -> type[BaseModel]:
    cursor = Field(description="Send it as ?cursor= for the next page; null on the last")
    tasks: Any = list[task_view]  # type: ignore[valid-type]  # a model that is made at run time
    fields: dict[str, Any] = {"tasks": tasks, "next_cursor": Annotated[str | None, cursor]}
    return create_model("TaskList", __base__=ResponseModel, __doc__="Newest first.", **fields)


class TicketView(ResponseModel):
    """A ticket that opens one task's event stream without a key: GET /api/v1/status/{task_id}?ticket=..."""

    ticket: str
    expires_at: Moment


class WebhookSecret(ResponseModel):
    """The secret with which a client's receivers verify signatures (Standard Webhooks)."""

    secret: str = Field(json_schema_extra={"pattern": "^whsec_"})


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


def task_data(task: Task, api: str, kinds: ActiveKinds) -> dict[str, Any]:
    """A task as JSON. `api`: the path of the API, see gencode.http.links."""
    return {
        "task_id": task.id,
        "kind": task.kind,
        "client": task.principal.id,
        "status": task.status,
        "state": task.state.value,
        "message": task.message,
        **kinds.view(task),
        "awaiting_approval": task.paused_until is not None,
        "approve_by": rfc3339(task.paused_until) if task.paused_until else None,
        "progress": progress_data(kinds.progress(task)),
        "error": _failure_data(task.failure) if task.failure else None,
        "last_event_id": task.sequence,
        "created_at": rfc3339(task.created_at),
        "updated_at": rfc3339(task.updated_at),
        "status_url": status_url(api, task.id),
        "task_url": task_url(api, task.id),
    }


def progress_data(progress: ProgressSnapshot) -> dict[str, Any]:
    until = progress.rate_limited_until
    return {
        "percent": progress.percent,
        "seconds_left": progress.seconds_left,
        "stalled": progress.stalled,
        "rate_limited_until": rfc3339(until) if until else None,
    }


def callback_data(callback: Callback) -> dict[str, Any]:
    is_failing, due = callback.failures > 0, callback.due
    next_attempt = datetime.fromtimestamp(due / 1000, UTC) if is_failing and due is not None else None
    return {
        "receiver": origin_of(callback.url),
        "state": "ended" if callback.ended else "failing" if is_failing else "open",
        "told": callback.position,
        "failures": callback.failures,
        "next_attempt_at": rfc3339(next_attempt) if next_attempt else None,
        "reason": callback.reason or None,
    }


def accepted(task: Task, api: str, status: str, message: str) -> Accepted:
    """The response to a request that queues a task."""
    fields: Mapping[str, Any] = {"model": model} if (model := task.parameters.get("model")) else {}
    return Accepted(
        task_id=task.id,
        status=status,
        message=message,
        status_url=status_url(api, task.id),
        task_url=task_url(api, task.id),
        **fields,
    )


def _failure_data(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "retryable": failure.retryable,
        "stage": failure.stage or PENDING,
        "retry_helps": failure.retry_helps,
        "retry_fields": list(failure.retry_fields),
    }
