"""Reading, cancelling and retrying tasks, and tickets for their streams."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Invalid
from gencode.domain.event import Event
from gencode.domain.task import Status, Task, moment
from gencode.engine.store import TaskQuery
from gencode.http.checkpoint_reading import read_checkpoints
from gencode.http.links import api, status_url, task_url
from gencode.http.schemas import parse_retry, read_json
from gencode.http.services import get_services, own_task
from gencode.http.views import (
    Accepted,
    BundleView,
    ReportView,
    TaskList,
    TicketView,
    callback_view,
    task_view,
)
from gencode.pipelines.generate.bundle import bundle as make_bundle
from gencode.pipelines.generate.checkpoints import Checkpoints
from gencode.pipelines.generate.report import report as make_report

MOST = 100
CURSOR = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""The id of the last task on the page before."""


async def show(request: Request) -> Response:
    task = await own_task(request)
    view = task_view(task, api(request), get_services(request).progress_registry)
    if callback := await get_services(request).notifications.outbox.callback(task.id):
        view = view.model_copy(update={"callback": callback_view(callback)})
    return view.response()


async def cancel(request: Request) -> Response:
    """200 once nothing of the task runs any more; 409 when it ended in another way."""
    cancelled = await get_services(request).task_service.cancel(await own_task(request))
    return task_view(cancelled, api(request), get_services(request).progress_registry).response()


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
        model=str(task.request.get("model")),
        status_url=status_url(api(request), task.id),
        task_url=task_url(api(request), task.id),
    )
    return answer.response(202, {**(headers or {}), "Location": answer.task_url})


async def _changes(request: Request) -> dict[str, Any]:
    """What the body, which may be left out, says to be otherwise from now on."""
    if not await request.body():
        return {}
    return parse_retry(await read_json(request)).model_dump(mode="json", exclude_unset=True)


async def report(request: Request) -> Response:
    """Made of what is stored, whatever the task is doing."""
    services, task = get_services(request), await own_task(request)
    return await read_checkpoints(
        services, task.id, partial(_report, task, await services.store.events(task.id))
    )


async def bundle(request: Request) -> Response:
    """For `gencode replay`; there once the commit is pushed."""
    services, task = get_services(request), await own_task(request)
    return await read_checkpoints(
        services, task.id, partial(_bundle, task, await services.store.events(task.id))
    )


def _report(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Response:
    return ReportView(**make_report(task, events, checkpoints).model_dump()).response()


def _bundle(task: Task, events: Sequence[Event], checkpoints: Checkpoints) -> Response:
    attachment = {"Content-Disposition": f'attachment; filename="{task.id}.json"'}
    return BundleView(**make_bundle(task, events, checkpoints).model_dump()).response(headers=attachment)


async def ticket(request: Request) -> Response:
    """A ticket for the task's event stream (see gencode.auth.tickets)."""
    task = await own_task(request)
    text, expires_at = get_services(request).tickets.issue(task.client, task.id)
    return TicketView(ticket=text, expires_at=moment(expires_at)).response(201)


async def listing(request: Request) -> Response:
    """Newest first; ?status= (repeatable, or comma-separated), ?limit=, ?cursor=."""
    limit = _limit(request.query_params.get("limit", "20"))
    query = TaskQuery(
        client=request.state.client,
        statuses=_statuses(request.query_params.getlist("status")),
        before=_before(request.query_params.get("cursor")),
        limit=limit + 1,
    )
    found = await get_services(request).store.find(query)
    page = found[:limit]
    cursor = page[-1].id if len(found) > limit else None
    progress_registry = get_services(request).progress_registry
    views = [task_view(task, api(request), progress_registry) for task in page]
    return TaskList(tasks=views, next_cursor=cursor).response()


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST):
        raise _invalid("limit", "range", f"a number from 1 to {MOST}")
    return int(text)


def _statuses(names: list[str]) -> list[Status] | None:
    wanted = [name for entry in names for name in entry.split(",") if name]
    if unknown := [name for name in wanted if name not in list(Status)]:
        raise _invalid("status", "enum", f"{unknown[0][:50]!r} is none of {', '.join(Status)}")
    return [Status(name) for name in wanted] or None


def _before(cursor: str | None) -> str | None:
    if cursor and not re.fullmatch(CURSOR, cursor):
        raise _invalid("cursor", "format", "use the next_cursor of an earlier answer as it is")
    return cursor or None


def _invalid(field: str, rule: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", [{"field": field, "rule": rule, "message": message}])
