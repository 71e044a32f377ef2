"""The operations on tasks of every kind: show, cancel, retry, approve, delete, and tickets for streams."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import (
    AlreadyFinished,
    NotPaused,
    QueueFull,
    QuotaExceeded,
    StillWorking,
    UnknownKind,
)
from gencode.domain.task import State, Task, rfc3339
from gencode.http.base_models import EmptyRetryRequest
from gencode.http.body_specs import JsonBodyOfKinds
from gencode.http.common_declarations import IF_MATCH, LOCATION, OWN_TASK, RATE_LIMITED
from gencode.http.dependencies import get_principal, get_services, own_task, ticket_holder, visible_task
from gencode.http.kinds import KindRegistry
from gencode.http.links import api
from gencode.http.operation import ErrorResponse, Operation, operation
from gencode.http.response_specs import JsonDataSpec, JsonOfKindsSpec, JsonResponseSpec, ResponseSpec
from gencode.http.submission import is_approved, retry
from gencode.http.task_list import list_operation
from gencode.http.task_models import (
    Accepted,
    TicketView,
    accepted,
    callback_data,
    task_data,
    task_list_model,
    task_view_model,
)

QUEUED_AGAIN = JsonResponseSpec(
    status=202, model=Accepted, description="It is in the queue again", headers=(LOCATION,)
)
DELETED = ResponseSpec(status=204, description="Nothing of it is stored any more")
NOT_DELETABLE = ErrorResponse(
    error=StillWorking,
    description="It is not over, its webhook has not got all events, or a quota of the day counts it",
)
TICKET = JsonResponseSpec(status=201, model=TicketView, description="The ticket")


def task_operations(kinds: KindRegistry) -> tuple[Operation, ...]:
    """The operations; their parameters and models depend on the registered kinds."""

    @cache
    def task_view() -> type[BaseModel]:
        return task_view_model(kinds)

    @cache
    def task_list() -> type[BaseModel]:
        return task_list_model(task_view())

    return (
        list_operation(kinds, JsonDataSpec(model=task_list, description="A page")),
        _get_operation(JsonDataSpec(model=task_view, description="The task")),
        _request_operation(kinds),
        _approve_operation(kinds),
        _cancel_operation(JsonDataSpec(model=task_view, description="Nothing of it runs any more")),
        _retry_operation(kinds),
        delete_task,
        issue_ticket,
    )


def _get_operation(task_response: JsonDataSpec) -> Operation:
    @operation("getTask", "GET /task/{task_id}", "A task", traits=(OWN_TASK,), responses=(task_response,))
    async def get_task(request: Request) -> Response:
        services, task = get_services(request), await visible_task(request)
        view = task_data(task, api(request), services.kinds)
        if messages := services.kinds.messages(task):
            view["messages"] = messages
        if callback := await services.callbacks.outbox.callback(task.id):
            view["callback"] = callback_data(callback)
        return task_response.make(view)

    return get_task


def _request_operation(kinds: KindRegistry) -> Operation:
    models = tuple(dict.fromkeys(kind.request_model for kind in kinds))
    found = JsonOfKindsSpec(kind_models=models, description="The body that submits it again")

    @operation(
        "getRequest",
        "GET /task/{task_id}/request",
        "The request of a task",
        traits=(OWN_TASK,),
        responses=(found,),
        errors=(UnknownKind,),
    )
    async def get_request(request: Request) -> Response:
        """The request as it was accepted, without its callback."""
        services, task = get_services(request), await own_task(request)
        return found.make(services.kinds.submitted(task, await services.store.request(task.id)))

    return get_request


def _cancel_operation(task_response: JsonDataSpec) -> Operation:
    @operation(
        "cancelTask",
        "POST /task/{task_id}/cancel",
        "Cancel a task",
        traits=(OWN_TASK,),
        responses=(task_response,),
        errors=(AlreadyFinished, UnknownKind),
    )
    async def cancel_task(request: Request) -> Response:
        """200 once no part of the task runs any longer; 409 if it ended otherwise."""
        services = get_services(request)
        cancelled = await services.task_service.cancel(await visible_task(request))
        return task_response.make(task_data(cancelled, api(request), services.kinds))

    return cancel_task


def _retry_operation(kinds: KindRegistry) -> Operation:
    models = tuple(
        dict.fromkeys(kind.retry_model for kind in kinds if kind.retry_model is not EmptyRetryRequest)
    )
    body = JsonBodyOfKinds(request_models=tuple(dict.fromkeys(models)), is_required=False)

    @operation(
        "retryTask",
        "POST /task/{task_id}/retry",
        "Retry a failed task",
        traits=(OWN_TASK, RATE_LIMITED),
        body=body,
        responses=(QUEUED_AGAIN,),
        errors=(StillWorking, AlreadyFinished, UnknownKind, QuotaExceeded, QueueFull),
    )
    async def retry_task(request: Request) -> Response:
        """202 once it is stored that the task continues; 409 unless it has failed."""
        services = get_services(request)
        rate_headers = await services.rate.spend(get_principal(request).id)
        task = await own_task(request)
        retried = await retry(services, task, await changes(request, task))
        return _queued_again(request, retried, rate_headers)

    async def changes(request: Request, task: Task) -> Mapping[str, Any]:
        runtime, kind = get_services(request).kinds.require(task), kinds.get(task.kind)
        model = kind.retry_model if kind else EmptyRetryRequest
        wanted = await body.read_optional(request, model)
        return runtime.retry_changes(task, wanted) if wanted else {}

    return retry_task


def _approve_operation(kinds: KindRegistry) -> Operation:
    of_kinds = dict.fromkeys(error for kind in kinds for error in kind.approval_errors)

    @operation(
        "approvePlan",
        "POST /task/{task_id}/approve",
        "Approve a task that waits for approval",
        traits=(OWN_TASK,),
        parameters=(IF_MATCH,),
        responses=(QUEUED_AGAIN,),
        errors=(NotPaused, AlreadyFinished, UnknownKind, *of_kinds, QuotaExceeded, QueueFull),
    )
    async def approve(request: Request) -> Response:
        """202 once it is stored that the task continues, and for each repetition."""
        services, task = get_services(request), await own_task(request)
        runtime = services.kinds.require(task)
        if task.state is State.PAUSED or not await is_approved(services, task):
            decision = runtime.approve(task, IF_MATCH.read(request))
            async with services.quotas.resumption(task):
                task = await services.task_service.approve(task, decision)
        return _queued_again(request, task)

    return approve


def _queued_again(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    view = accepted(task, api(request), task.status, task.message)
    return QUEUED_AGAIN.make(view, {**(headers or {}), "Location": view.task_url})


@operation(
    "deleteTask",
    "DELETE /task/{task_id}",
    "Delete a task that is over",
    traits=(OWN_TASK,),
    responses=(DELETED,),
    errors=(NOT_DELETABLE,),
)
async def delete_task(request: Request) -> Response:
    """204 when its request, events, files and checkpoints are deleted; its usage stays in the totals."""
    services, task = get_services(request), await own_task(request)
    services.quotas.check_deletable(task)
    await services.task_service.delete(task)
    return Response(status_code=DELETED.status)


@operation(
    "issueTicket",
    "POST /task/{task_id}/ticket",
    "A ticket for EventSource",
    traits=(OWN_TASK,),
    responses=(TICKET,),
)
async def issue_ticket(request: Request) -> Response:
    """A ticket for the task's event stream (see gencode.auth.tickets)."""
    task = await own_task(request)
    text, expires_at = get_services(request).tickets.issue(ticket_holder(request), task.id)
    return TICKET.make(TicketView(ticket=text, expires_at=rfc3339(expires_at)))
