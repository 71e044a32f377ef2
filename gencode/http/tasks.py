"""Reading, cancelling and retrying tasks, and tickets for their streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.pieces import Checkpoints
from gencode.domain.errors import AlreadyFinished, Invalid, QueueFull, StillWorking
from gencode.domain.event import Event
from gencode.domain.task import FINAL_STATUSES, PENDING, Task, rfc3339
from gencode.engine.store import TaskQuery
from gencode.http.checkpoint_reading import read_checkpoints
from gencode.http.links import api, status_url, task_url
from gencode.http.operation import operation
from gencode.http.parameters import Choices, Integer, Parameter, Text
from gencode.http.request_body import JsonBody
from gencode.http.responses import JsonResponseSpec
from gencode.http.schemas import RetryRequest, check_deadline
from gencode.http.services import get_services, own_task
from gencode.http.traits import DISPOSITION, LOCATION, OWN_TASK, RATE_LIMITED
from gencode.http.views import (
    Accepted,
    BundleView,
    ReportView,
    TaskList,
    TaskView,
    TicketView,
    callback_view,
    task_view,
)
from gencode.pipelines.generate.bundle import bundle as make_bundle
from gencode.pipelines.generate.report import report as make_report
from gencode.pipelines.generate.stages import STAGES

MOST = 100
CURSOR = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""The id of the last task on the page before."""

STATUSES = Parameter(
    name="status",
    location="query",
    description="Only these; repeatable, or separated by commas",
    type=Choices(values=[PENDING, *STAGES, *FINAL_STATUSES]),
    default=None,
    is_repeatable=True,
)
LIMIT = Parameter(
    name="limit",
    location="query",
    description="Tasks on a page",
    type=Integer(minimum=1, maximum=MOST),
    default=20,
)
BEFORE = Parameter(
    name="cursor",
    location="query",
    description="next_cursor of the page before",
    type=Text(pattern=f"^$|{CURSOR}", message="use the next_cursor of an earlier answer as it is"),
    default=None,
)
CHANGES = JsonBody(model=RetryRequest, is_required=False)
TASK = JsonResponseSpec(model=TaskView, description="The task")
PAGE = JsonResponseSpec(model=TaskList, description="A page")
CANCELLED = JsonResponseSpec(model=TaskView, description="Nothing of it runs any more")
GOING_ON = JsonResponseSpec(
    status=202, model=Accepted, description="It is in line again", headers=(LOCATION,)
)
REPORT = JsonResponseSpec(model=ReportView, description="As of now")
BUNDLE = JsonResponseSpec(
    model=BundleView, description="For gencode replay; once the commit is pushed", headers=(DISPOSITION,)
)
TICKET = JsonResponseSpec(status=201, model=TicketView, description="The ticket")


@operation("getTask", "GET /task/{task_id}", "A task", traits=(OWN_TASK,), responses=(TASK,))
async def show(request: Request) -> Response:
    task = await own_task(request)
    view = task_view(task, api(request), get_services(request).progress_registry)
    if callback := await get_services(request).notifications.outbox.callback(task.id):
        view = view.model_copy(update={"callback": callback_view(callback)})
    return TASK.make(view)


@operation(
    "cancelTask",
    "POST /task/{task_id}/cancel",
    "Cancel a task",
    traits=(OWN_TASK,),
    responses=(CANCELLED,),
    errors=(AlreadyFinished,),
)
async def cancel(request: Request) -> Response:
    """200 once nothing of the task runs any more; 409 when it ended in another way."""
    cancelled = await get_services(request).task_service.cancel(await own_task(request))
    return CANCELLED.make(task_view(cancelled, api(request), get_services(request).progress_registry))


@operation(
    "retryTask",
    "POST /task/{task_id}/retry",
    "Go on with a failed task",
    traits=(OWN_TASK, RATE_LIMITED),
    body=CHANGES,
    responses=(GOING_ON,),
    errors=(StillWorking, AlreadyFinished, QueueFull),
)
async def retry(request: Request) -> Response:
    """202 once the store holds that the task goes on; 409 unless it has failed."""
    services = get_services(request)
    headers = await services.rate.spend(request.state.client)
    task = await services.task_service.retry(await own_task(request), await _changes(request))
    return going_on(request, task, headers)


def going_on(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    """202: the store holds that it does."""
    answer = Accepted(
        task_id=task.id,
        status=task.status,
        message=task.message,
        model=str(task.parameters.get("model")),
        status_url=status_url(api(request), task.id),
        task_url=task_url(api(request), task.id),
    )
    return GOING_ON.make(answer, {**(headers or {}), "Location": answer.task_url})


async def _changes(request: Request) -> dict[str, Any]:
    """What the body, which may be left out, says to be otherwise from now on."""
    if not (asked := await CHANGES.read_optional(request)):
        return {}
    check_deadline(asked)
    return asked.model_dump(mode="json", exclude_unset=True)


@operation(
    "reportTask",
    "GET /task/{task_id}/report",
    "What became of a task",
    traits=(OWN_TASK,),
    responses=(REPORT,),
)
async def report(request: Request) -> Response:
    """Made of what is stored, whatever the task is doing."""
    services, task = get_services(request), await own_task(request)
    return await read_checkpoints(
        services, task.id, partial(_report, task, await services.store.events(task.id))
    )


@operation(
    "bundleTask",
    "GET /task/{task_id}/bundle",
    "All to make the commit again",
    traits=(OWN_TASK,),
    responses=(BUNDLE,),
)
async def bundle(request: Request) -> Response:
    """For `gencode replay`; there once the commit is pushed."""
    services, task = get_services(request), await own_task(request)
    return await read_checkpoints(
        services,
        task.id,
        partial(_bundle, task, await services.store.request(task.id), await services.store.events(task.id)),
    )


def _report(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Response:
    return REPORT.make(ReportView(**make_report(task, events, checkpoints).model_dump()))


def _bundle(
    task: Task, request: Mapping[str, Any], events: Sequence[Event], checkpoints: Checkpoints
) -> Response:
    attachment = {"Content-Disposition": f'attachment; filename="{task.id}.json"'}
    return BUNDLE.make(BundleView(**make_bundle(task, request, events, checkpoints).model_dump()), attachment)


@operation(
    "issueTicket",
    "POST /task/{task_id}/ticket",
    "A ticket for EventSource",
    traits=(OWN_TASK,),
    responses=(TICKET,),
)
async def ticket(request: Request) -> Response:
    """A ticket for the task's event stream (see gencode.auth.tickets)."""
    task = await own_task(request)
    text, expires_at = get_services(request).tickets.issue(task.principal.id, task.id)
    return TICKET.make(TicketView(ticket=text, expires_at=rfc3339(expires_at)))


@operation(
    "listTasks",
    "GET /tasks",
    "One's own tasks, newest first",
    parameters=(STATUSES, LIMIT, BEFORE),
    responses=(PAGE,),
    errors=(Invalid,),
)
async def listing(request: Request) -> Response:
    """Newest first; ?status= (repeatable, or comma-separated), ?limit=, ?cursor=."""
    limit = LIMIT.read(request)
    query = TaskQuery(
        principal=request.state.client,
        statuses=STATUSES.read(request) or None,
        before=BEFORE.read(request) or None,
        limit=limit + 1,
    )
    found = await get_services(request).store.find(query)
    page = found[:limit]
    cursor = page[-1].id if len(found) > limit else None
    progress_registry = get_services(request).progress_registry
    views = [task_view(task, api(request), progress_registry) for task in page]
    return PAGE.make(TaskList(tasks=views, next_cursor=cursor))
