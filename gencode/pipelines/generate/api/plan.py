"""The plan of a task: read it and, while the task waits for approval, change and approve it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from pydantic import BeforeValidator, FailFast, Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.plan import MAX_LINES, Name, PlanCheckpoint, PlannedFile
from gencode.domain.errors import AlreadyFinished, Invalid, NotFound, NotPaused, UnknownKind
from gencode.domain.task import Task, rfc3339
from gencode.domain.tree import MAX_FILES
from gencode.engine.ports.pipeline import Decision
from gencode.http.base_models import RequestModel
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import IF_MATCH, OWN_TASK, RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.kind_dependencies import task_price
from gencode.http.operation import operation
from gencode.http.response_specs import Header, JsonResponseSpec
from gencode.model_tasks.request import integral
from gencode.pipelines.generate.api.services import GenerateServices, own_generate_task
from gencode.pipelines.generate.api.views import EstimateView, LeftOutView, PlanFileView, PlanView
from gencode.pipelines.generate.checkpoints import saved_plan
from gencode.pipelines.generate.errors import PlanChanged
from gencode.pipelines.generate.plan_approval import Matches, approve_plan, change_plan
from gencode.pipelines.generate.plan_estimate import estimate_plan

Purpose = Annotated[str, Field(max_length=2000)]
Names = Annotated[list[Name], FailFast()]
"""Only the first wrong name of a list is reported: a body can have hundreds of thousands."""


class PlanFile(RequestModel):
    """One file that the project shall have."""

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    purpose: Purpose = ""
    exports: Names = Field([], description="Names that other files may use")
    needs: Names = Field([], description="Paths of files of this plan that it uses")
    lines: Annotated[int, Field(ge=0, le=MAX_LINES), BeforeValidator(integral)] = Field(
        0, description="How long it is expected to become; 0: not said"
    )

    def planned(self) -> PlannedFile:
        return PlannedFile(
            path=self.path,
            purpose=self.purpose,
            exports=tuple(self.exports),
            needs=tuple(self.needs),
            lines=self.lines,
        )


class PlanEdit(RequestModel):
    """What PUT /api/v1/task/{task_id}/plan takes."""

    files: Annotated[list[PlanFile], Field(min_length=1, max_length=MAX_FILES)]
    summary: Purpose | None = Field(None, description="null: as it is")


EDIT = JsonBody(model=PlanEdit)
PLAN = JsonResponseSpec(
    model=PlanView,
    description="As it is now",
    headers=(Header(name="ETag", description="Of this revision, for If-Match"),),
)


@operation(
    "readPlan", "GET /task/{task_id}/plan", "The plan of a task", traits=(OWN_TASK,), responses=(PLAN,)
)
async def read_plan(request: Request) -> Response:
    """404 until the model has given the whole of it."""
    return await _plan_response(request, await own_generate_task(request))


@operation(
    "changePlan",
    "PUT /task/{task_id}/plan",
    "Change a plan that waits for approval",
    traits=(OWN_TASK, RATE_LIMITED),
    parameters=(IF_MATCH,),
    body=EDIT,
    responses=(PLAN,),
    errors=(NotPaused, AlreadyFinished, UnknownKind, PlanChanged),
)
async def replace_plan(request: Request) -> Response:
    """409 unless the task waits for approval, 412 when If-Match names another revision."""
    services, task = get_services(request), await own_generate_task(request)
    headers = await services.rate.spend(get_principal(request).id)  # each change is stored as an event
    edit = await EDIT.read(request)
    decision = partial(
        change_plan,
        files=[file.planned() for file in edit.files],
        summary=edit.summary,
        model=str(task.parameters.get("model")),
        matches=_matches(IF_MATCH.read(request)),
        workflows=get_extension(request, GenerateServices).workflows,
    )
    return await _plan_response(request, await services.task_service.amend(task, decision), headers)


def approval(task: Task, if_match: str | None) -> Decision:
    """The decision that approves the plan; `if_match`: the revisions (ETags) of it that the principal
    knows."""
    return partial(approve_plan, matches=_matches(if_match))


async def _plan_response(request: Request, task: Task, headers: Mapping[str, str] | None = None) -> Response:
    plan = await get_services(request).checkpoint_reader.read(task, saved_plan)
    if not plan:
        raise NotFound("this task has no plan, or not yet")
    estimate = await _estimate(get_extension(request, GenerateServices), task, plan)
    return PLAN.make(_view(task, plan, estimate), {**(headers or {}), "ETag": _etag(plan.revision)})


async def _estimate(services: GenerateServices, task: Task, plan: PlanCheckpoint) -> EstimateView | None:
    """The estimate for a plan; None if it does not wait for approval, or its model is not configured any
    more."""
    if task.paused_until is None:
        return None
    stored = await services.store.request(task.id)
    try:
        price = task_price(task.parameters, services.price)
    except Invalid:
        return None
    made = estimate_plan(
        str(stored["prompt"]),
        plan.plan,
        str(task.parameters["model"]),
        services.max_output_tokens,
        lambda usage: price.of(usage) if price else None,
    )
    return EstimateView(**made.model_dump())


def _view(task: Task, plan: PlanCheckpoint, estimate: EstimateView | None) -> PlanView:
    return PlanView(
        task_id=task.id,
        awaiting_approval=task.paused_until is not None,
        approve_by=rfc3339(task.paused_until) if task.paused_until else None,
        revision=plan.revision,
        summary=plan.plan.summary,
        files=[PlanFileView(**file.model_dump(mode="json")) for file in plan.plan.files],
        left_out=[LeftOutView(**entry.model_dump(mode="json")) for entry in plan.plan.left_out],
        estimate=estimate,
    )


def _matches(if_match: str | None) -> Matches:
    """RFC 9110, 13.1.1; without If-Match any revision matches."""
    tags = {tag.strip() for tag in ("*" if if_match is None else if_match).split(",")}
    return lambda revision: "*" in tags or _etag(revision) in tags


def _etag(revision: int) -> str:
    return f'"{revision}"'
