"""The change of a draft by further requirements, and what a task has made."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints import Blueprint
from gencode.domain.errors import Forbidden, NotFound
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.http.base_models import ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import OWN_TASK, RATE_LIMITED
from gencode.http.dependencies import get_principal, get_services, own_task
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    ACCEPTED,
    IDEMPOTENCY_KEY,
    SUBMISSION_ERRORS,
    accepted_response,
    request_language,
    submit_for,
)
from gencode.pipelines.blueprint.names import BLUEPRINT, BLUEPRINT_KIND, DETAILS
from gencode.pipelines.blueprint.request import BlueprintParse, BlueprintRequest
from gencode.pipelines.blueprint.work import Details, GroupLedger, Made
from gencode.workspace.blueprints.examination import FindingView, finding_views
from gencode.workspace.errors import BlueprintPublished, ProjectArchived
from gencode.workspace.parameters import ONE, id_in_path

PARSE = JsonBody(model=BlueprintParse)


class MadeGroup(GroupLedger):
    """A model call about a group of elements, and those of them that it did not describe."""


class MadeBlueprint(ResponseModel):
    """What a task made of requirements. `mended`: what was wrong and is mended. `by_rules`: whether rules of
    the offline model made it. `left_out`: elements beyond the most that a task describes, and what was said
    of elements that there are not."""

    spec: Blueprint
    findings: list[FindingView]
    mended: list[FindingView]
    is_complete: bool
    by_rules: bool
    left_out: int
    groups: list[MadeGroup]


MADE = JsonResponseSpec(model=MadeBlueprint, description="Once it is made, also if it could not be stored")


@operation(
    "parseForBlueprint",
    "POST /blueprints/{id:uuid}/parse",
    "Propose a change of a draft, from requirements",
    traits=(ONE, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=PARSE,
    responses=(ACCEPTED,),
    errors=(
        *SUBMISSION_ERRORS,
        Forbidden,
        ProjectArchived,
        BlueprintPublished,
    ),
)
async def parse_for_blueprint(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    given = await PARSE.read(request)
    values: dict[str, Any] = {name: getattr(given, name) for name in given.model_fields_set}
    submission = BlueprintRequest.model_validate({**values, "blueprint_id": id_in_path(request)})
    return accepted_response(request, await submit_for(request, BLUEPRINT_KIND, submission), rate_headers)


@operation(
    "getTaskBlueprint",
    "GET /task/{task_id}/blueprint",
    "The blueprint that a task made of requirements",
    traits=(OWN_TASK,),
    parameters=(ACCEPT_LANGUAGE,),
    responses=(MADE,),
)
async def get_task_blueprint(request: Request) -> Response:
    task = await _own_blueprint_task(request)
    language = request_language(request)
    return await get_services(request).checkpoint_reader.read(
        task, lambda stored: MADE.make(made_view(stored, language))
    )


async def _own_blueprint_task(request: Request) -> Task:
    """Raises NotFound."""
    return check_kind(await own_task(request))


def check_kind(task: Task) -> Task:
    """Raises NotFound for a task of another kind."""
    if task.kind != BLUEPRINT_KIND:
        raise NotFound("this task makes no blueprint")
    return task


def made_view(checkpoints: Checkpoints, language: str) -> MadeBlueprint:
    """Raises NotFound while there is none."""
    if (text := checkpoints.get(BLUEPRINT)) is None:
        raise NotFound("this task has no blueprint yet")
    made = Made.model_validate_json(text)
    details = Details.model_validate_json(checkpoints[DETAILS])
    return MadeBlueprint(
        spec=made.spec,
        findings=finding_views(made.findings, language),
        mended=finding_views(made.mended, language),
        is_complete=made.is_complete,
        by_rules=made.by_rules,
        left_out=made.left_out,
        groups=[MadeGroup(**group.model_dump()) for group in details.groups],
    )
