"""The plan of a task: read, and while it waits for a person's word, changed and approved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import NotFound
from gencode.domain.task import Task, moment
from gencode.http.checkpoint_reading import read_checkpoints
from gencode.http.plan_schema import PlanEdit, PlanFileView, PlanView
from gencode.http.schemas import read_json, valid
from gencode.http.services import get_services, own_task
from gencode.http.tasks import going_on
from gencode.pipelines.generate.artifacts import APPROVED, KeptPlan
from gencode.pipelines.generate.checkpoints import Checkpoints, kept_plan
from gencode.pipelines.generate.plan_approval import Matches, approved, edited


async def plan(request: Request) -> Response:
    return await (change if request.method == "PUT" else show)(request)


async def show(request: Request) -> Response:
    """404 until the model has said the whole of it."""
    task = await own_task(request)
    return await _shown(request, task)


async def change(request: Request) -> Response:
    """409 unless it waits for approval, 412 when If-Match names another revision."""
    services, task = get_services(request), await own_task(request)
    headers = await services.rate.spend(request.state.client)  # each change is an event, and stays
    edit = valid(PlanEdit, await read_json(request))
    asked = partial(
        edited,
        files=[file.planned() for file in edit.files],
        summary=edit.summary,
        model=str(task.request["model"]),
        matches=_matches(request),
        workflows=services.workflows,
    )
    return await _shown(request, await services.task_service.amend(task, asked), headers)


async def approve(request: Request) -> Response:
    """202 once the store holds that the task goes on, and for each click that comes later."""
    services, task = get_services(request), await own_task(request)
    if task.paused_until or not await read_checkpoints(services, task.id, _is_approved):
        task = await services.task_service.approve(task, partial(approved, matches=_matches(request)))
    return going_on(request, task)


def _is_approved(checkpoints: Checkpoints) -> bool:
    return APPROVED in checkpoints


async def _shown(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    if not (known := await read_checkpoints(get_services(request), task.id, kept_plan)):
        raise NotFound("this task has no plan, or not yet")
    return _view(task, known).response(headers={**(headers or {}), "ETag": _etag(known.revision)})


def _view(task: Task, known: KeptPlan) -> PlanView:
    return PlanView(
        task_id=task.id,
        awaiting_approval=task.paused_until is not None,
        approve_by=moment(task.paused_until) if task.paused_until else None,
        revision=known.revision,
        summary=known.plan.summary,
        files=[PlanFileView(**file.model_dump(mode="json")) for file in known.plan.files],
    )


def _matches(request: Request) -> Matches:
    """RFC 9110, 13.1.1; without If-Match any revision will do."""
    seen = {tag.strip() for tag in request.headers.get("if-match", "*").split(",")}
    return lambda revision: "*" in seen or _etag(revision) in seen


def _etag(revision: int) -> str:
    return f'"{revision}"'
