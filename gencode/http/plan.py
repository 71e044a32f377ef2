"""The plan of a task: read, and while it waits for a person's word, changed and approved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.pieces import Checkpoints
from gencode.codegen.plan import PlanCheckpoint
from gencode.domain.errors import AlreadyFinished, NotFound, NotPaused, QueueFull
from gencode.domain.task import Task, rfc3339
from gencode.http.checkpoint_reading import read_checkpoints
from gencode.http.operation import operation
from gencode.http.plan_schema import PlanEdit, PlanFileView, PlanView
from gencode.http.request_body import JsonBody
from gencode.http.responses import Header, JsonResponseSpec
from gencode.http.services import get_services, own_task
from gencode.http.tasks import GOING_ON, going_on
from gencode.http.traits import IF_MATCH, OWN_TASK, RATE_LIMITED
from gencode.pipelines.generate.checkpoints import APPROVED, saved_plan
from gencode.pipelines.generate.errors import PlanChanged
from gencode.pipelines.generate.plan_approval import Matches, approve_plan, change_plan

EDIT = JsonBody(model=PlanEdit)
PLAN = JsonResponseSpec(
    model=PlanView,
    description="As it is now",
    headers=(Header(name="ETag", description="Of this revision, for If-Match"),),
)


@operation(
    "readPlan", "GET /task/{task_id}/plan", "The plan of a task", traits=(OWN_TASK,), responses=(PLAN,)
)
async def show(request: Request) -> Response:
    """404 until the model has said the whole of it."""
    task = await own_task(request)
    return await _shown(request, task)


@operation(
    "changePlan",
    "PUT /task/{task_id}/plan",
    "Change a plan that waits for approval",
    traits=(OWN_TASK, RATE_LIMITED),
    parameters=(IF_MATCH,),
    body=EDIT,
    responses=(PLAN,),
    errors=(NotPaused, AlreadyFinished, PlanChanged),
)
async def change(request: Request) -> Response:
    """409 unless it waits for approval, 412 when If-Match names another revision."""
    services, task = get_services(request), await own_task(request)
    headers = await services.rate.spend(request.state.client)  # each change is an event, and stays
    edit = await EDIT.read(request)
    asked = partial(
        change_plan,
        files=[file.planned() for file in edit.files],
        summary=edit.summary,
        model=str(task.parameters["model"]),
        matches=_matches(request),
        workflows=services.workflows,
    )
    return await _shown(request, await services.task_service.amend(task, asked), headers)


@operation(
    "approvePlan",
    "POST /task/{task_id}/approve",
    "Let the files of the plan be written",
    traits=(OWN_TASK,),
    parameters=(IF_MATCH,),
    responses=(GOING_ON,),
    errors=(NotPaused, AlreadyFinished, PlanChanged, QueueFull),
)
async def approve(request: Request) -> Response:
    """202 once the store holds that the task goes on, and for each click that comes later."""
    services, task = get_services(request), await own_task(request)
    if task.paused_until or not await read_checkpoints(services, task.id, _is_approved):
        task = await services.task_service.approve(task, partial(approve_plan, matches=_matches(request)))
    return going_on(request, task)


def _is_approved(checkpoints: Checkpoints) -> bool:
    return APPROVED in checkpoints


async def _shown(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    if not (known := await read_checkpoints(get_services(request), task.id, saved_plan)):
        raise NotFound("this task has no plan, or not yet")
    return PLAN.make(_view(task, known), {**(headers or {}), "ETag": _etag(known.revision)})


def _view(task: Task, known: PlanCheckpoint) -> PlanView:
    return PlanView(
        task_id=task.id,
        awaiting_approval=task.paused_until is not None,
        approve_by=rfc3339(task.paused_until) if task.paused_until else None,
        revision=known.revision,
        summary=known.plan.summary,
        files=[PlanFileView(**file.model_dump(mode="json")) for file in known.plan.files],
    )


def _matches(request: Request) -> Matches:
    """RFC 9110, 13.1.1; without If-Match any revision will do."""
    wanted = IF_MATCH.read(request)
    seen = {tag.strip() for tag in ("*" if wanted is None else wanted).split(",")}
    return lambda revision: "*" in seen or _etag(revision) in seen


def _etag(revision: int) -> str:
    return f'"{revision}"'
