"""The plan of a task: read, and while it waits for a person's word, changed and approved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gencode.errors import NotFound
from gencode.pipelines.generate.approval import Matches, approved, edited
from gencode.pipelines.generate.artifacts import APPROVED, KeptPlan
from gencode.pipelines.generate.kept import Kept, kept_plan
from gencode.task import Task, moment
from gencode.web.folding import folded
from gencode.web.parts import own_task, parts
from gencode.web.plan_schema import PlanEdit, PlanFileView, PlanView
from gencode.web.schemas import read_json, valid
from gencode.web.tasks import going_on


async def plan(request: Request) -> Response:
    return await (change if request.method == "PUT" else show)(request)


async def show(request: Request) -> Response:
    """404 until the model has said the whole of it."""
    task = await own_task(request)
    return await _shown(request, task)


async def change(request: Request) -> Response:
    """409 unless it waits for approval, 412 when If-Match names another revision."""
    its, task = parts(request), await own_task(request)
    headers = await its.rate.spend(request.state.client)  # each change is an event, and stays
    edit = valid(PlanEdit, await read_json(request))
    asked = partial(
        edited,
        files=[file.planned() for file in edit.files],
        summary=edit.summary,
        model=str(task.request["model"]),
        matches=_matches(request),
        workflows=its.workflows,
    )
    return await _shown(request, await its.manager.amend(task, asked), headers)


async def approve(request: Request) -> Response:
    """202 once the store holds that the task goes on, and for each click that comes later."""
    its, task = parts(request), await own_task(request)
    if task.held_until or not await folded(its, task.id, _is_approved):
        task = await its.manager.approve(task, partial(approved, matches=_matches(request)))
    return going_on(request, task)


def _is_approved(kept: Kept) -> bool:
    return APPROVED in kept


async def _shown(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    if not (known := await folded(parts(request), task.id, kept_plan)):
        raise NotFound("this task has no plan, or not yet")
    return _view(task, known).response(headers={**(headers or {}), "ETag": _etag(known.revision)})


def _view(task: Task, known: KeptPlan) -> PlanView:
    return PlanView(
        task_id=task.id,
        awaiting_approval=task.held_until is not None,
        approve_by=moment(task.held_until) if task.held_until else None,
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
