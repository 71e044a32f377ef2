"""The operations of builds that a blueprint has: begin one, list them."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Forbidden, PlanLimitReached
from gencode.domain.task import Task, rfc3339
from gencode.engine.ports.store import TaskQuery
from gencode.http.base_models import Link, Moment, ResponseModel, TaskId, Words
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import OWN_TASK, RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.links import api, task_url
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.http.submit_operation import (
    ACCEPT_LANGUAGE,
    ACCEPTED,
    IDEMPOTENCY_KEY,
    SUBMISSION_ERRORS,
    accepted_response,
    submit_for,
)
from gencode.pipelines.build.api.artifacts import readable_build
from gencode.pipelines.build.api.preparation import BuildServices
from gencode.pipelines.build.api.request import (
    PATTERN_MESSAGES,
    BlueprintBuildRequest,
    BuildRequest,
    RegenerateRequest,
)
from gencode.pipelines.build.api.views import QaStatus, reason_in_chinese
from gencode.pipelines.build.names import NAME
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.builds.tables import BlueprintBuild
from gencode.workspace.errors import ProjectArchived, TemplateNotProven
from gencode.workspace.parameters import LIMIT, ONE, id_in_path

AGAIN = JsonBody(model=RegenerateRequest, pattern_messages=PATTERN_MESSAGES)
BODY = JsonBody(model=BlueprintBuildRequest, pattern_messages=PATTERN_MESSAGES)
_SHOWN = ("version_tag", "is_draft", "blueprint_digest", "stack")
_KNOWN = ("commit", "checksum", "archive_sha256", "archive_bytes", "qa_status", "qa_reason")


class BuildView(ResponseModel):
    """A build of a blueprint, by whoever may build it."""

    task_id: TaskId
    client: Words = Field(description="Who has begun it")
    status: str
    state: str
    version_tag: str
    is_draft: bool
    blueprint_digest: str
    stack: dict[str, str]
    commit: str | None
    checksum: str | None
    archive_sha256: str | None
    archive_bytes: int | None
    qa_status: QaStatus | None
    qa_reason: str | None
    qa_reason_zh: str | None
    downloads: int = Field(ge=0)
    created_at: Moment
    updated_at: Moment
    task_url: Link


class BuildList(ResponseModel):
    """The newest first."""

    items: list[BuildView]


BUILDS = JsonResponseSpec(model=BuildList, description="Its builds that are still stored")


@operation(
    "generateBlueprint",
    "POST /blueprints/{id:uuid}/generate",
    "Build the project of a blueprint",
    traits=(ONE, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=BODY,
    responses=(ACCEPTED,),
    errors=(*SUBMISSION_ERRORS, PlanLimitReached, Forbidden, ProjectArchived, TemplateNotProven),
)
async def generate_blueprint(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    given = (await BODY.read(request)).model_dump(exclude_unset=True)
    build = BuildRequest.model_validate({**given, "blueprint_id": id_in_path(request)})
    return await _submit(request, build, rate_headers)


async def _submit(request: Request, build: BuildRequest, rate_headers: dict[str, str]) -> Response:
    submitted = await submit_for(request, NAME, build)
    services, task = get_extension(request, BuildServices), submitted.task
    await services.builds.add(task.id, build.blueprint_id, task.principal.id)
    return accepted_response(request, submitted, rate_headers)


@operation(
    "regenerateBuild",
    "POST /task/{task_id}/regenerate",
    "Build again for the same stack, and tell what changes",
    traits=(OWN_TASK, RATE_LIMITED),
    parameters=(IDEMPOTENCY_KEY, ACCEPT_LANGUAGE),
    body=AGAIN,
    responses=(ACCEPTED,),
    errors=(*SUBMISSION_ERRORS, PlanLimitReached, Forbidden, ProjectArchived, TemplateNotProven),
)
async def regenerate(request: Request) -> Response:
    rate_headers = await get_services(request).rate.spend(get_principal(request).id)
    earlier = await readable_build(request)
    given = (await AGAIN.read(request)).model_dump(exclude_unset=True)
    of_earlier = {name: earlier.parameters.get(name) for name in ("blueprint_id", "stack", "template_set")}
    named = {name: value for name, value in given.items() if name != "blueprint_id" or value}
    build = BuildRequest.model_validate({**of_earlier, **named, "regenerates": earlier.id})
    return await _submit(request, build, rate_headers)


@operation(
    "listBlueprintBuilds",
    "GET /blueprints/{id:uuid}/builds",
    "List the builds of a blueprint, the newest first",
    traits=(ONE,),
    parameters=(LIMIT,),
    responses=(BUILDS,),
)
async def list_builds(request: Request) -> Response:
    services, blueprint_id = get_extension(request, BuildServices), id_in_path(request)
    await services.workspace.resource(BLUEPRINTS).get(blueprint_id, get_principal(request).id)
    rows = await services.builds.of_blueprint(blueprint_id, LIMIT.read(request))
    found = await services.store.find(TaskQuery(ids=[row.id for row in rows], limit=len(rows)))
    tasks = {task.id: task for task in found}
    views = [_view(row, tasks[row.id], api(request)) for row in rows if row.id in tasks]
    return BUILDS.make(BuildList(items=views))


def _view(row: BlueprintBuild, task: Task, path: str) -> BuildView:
    fields: dict[str, Any] = {
        **{name: task.parameters[name] for name in _SHOWN},
        **{name: task.result.get(name) for name in _KNOWN},
        "qa_reason_zh": reason_in_chinese(task),
    }
    return BuildView(
        task_id=task.id,
        client=task.principal.id,
        status=task.status,
        state=task.state.value,
        downloads=row.downloads,
        created_at=rfc3339(task.created_at),
        updated_at=rfc3339(task.updated_at),
        task_url=task_url(path, task.id),
        **fields,
    )
