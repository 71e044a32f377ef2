"""What a build has made: its archive and its report. Who may read the blueprint may have them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gencode.codegen.secrets_scan import paths_with_own_secrets
from gencode.domain.errors import NotFound, SecretFound, StoreError
from gencode.domain.phrase import Phrase
from gencode.domain.task import Task
from gencode.engine.ports.pipeline import Checkpoints
from gencode.engine.ports.store import TaskQuery
from gencode.http.base_models import Link, ResponseModel
from gencode.http.byte_range import ACCEPT_RANGES, BYTE_RANGES, CONTENT_RANGE, ranged_response
from gencode.http.common_declarations import DISPOSITION, IF_NONE_MATCH, OWN_TASK
from gencode.http.dependencies import get_extension, get_principal, own_task
from gencode.http.downloads import GENERATED_CONTENT
from gencode.http.links import api, task_url
from gencode.http.operation import operation
from gencode.http.response_specs import Header, JsonResponseSpec, ResponseSpec
from gencode.pipelines.build.api.preparation import BuildServices
from gencode.pipelines.build.archiving import archive
from gencode.pipelines.build.artifacts import ArchiveFacts
from gencode.pipelines.build.changes import files_of
from gencode.pipelines.build.names import ARCHIVED, NAME, QA
from gencode.pipelines.build.qa_report import QaReport
from gencode.workspace.blueprints.resource import BLUEPRINTS

ETAG = Header(name="ETag", description="Its SHA-256")
_DOWNLOAD = (ETAG, DISPOSITION, ACCEPT_RANGES)
ARCHIVE = ResponseSpec(
    description="The project, in one folder",
    media_type="application/zip",
    schema={"type": "string", "format": "binary"},
    headers=_DOWNLOAD,
)
ARCHIVE_PART = replace(ARCHIVE, status=206, description="The range", headers=(*_DOWNLOAD, CONTENT_RANGE))
NOT_MODIFIED = ResponseSpec(status=304, description="The client has it", headers=(ETAG,))
REPORT = JsonResponseSpec(model=QaReport, description="What is known of its quality")


class ArtifactView(ResponseModel):
    """`checksum`: SHA-256 of blueprint, templates and commit; `sha256`: of the bytes."""

    type: str = Field(description="project")
    name: str
    media_type: str
    bytes: int
    sha256: str
    checksum: str
    downloads: int = Field(ge=0)
    url: Link


class ArtifactList(ResponseModel):
    items: list[ArtifactView]


ARTIFACTS = JsonResponseSpec(model=ArtifactList, description="Empty until the archive is made")


@operation(
    "listArtifacts",
    "GET /task/{task_id}/artifacts",
    "List what a build has made",
    traits=(OWN_TASK,),
    responses=(ARTIFACTS,),
)
async def list_artifacts(request: Request) -> Response:
    services, task = get_extension(request, BuildServices), await readable_build(request)
    row = await services.builds.get(task.id)
    facts = await services.checkpoint_reader.read(task, _facts)
    if facts is None:
        return ARTIFACTS.make(ArtifactList(items=[]))
    view = ArtifactView(
        type="project",
        name=_name(task),
        media_type=ARCHIVE.media_type,
        bytes=facts.bytes,
        sha256=facts.sha256,
        checksum=facts.checksum,
        downloads=row.downloads if row else 0,
        url=f"{task_url(api(request), task.id)}/artifact",
    )
    return ARTIFACTS.make(ArtifactList(items=[view]))


@operation(
    "downloadArtifact",
    "GET /task/{task_id}/artifact",
    "Download the project that a build has made",
    traits=(OWN_TASK, BYTE_RANGES),
    parameters=(IF_NONE_MATCH,),
    responses=(ARCHIVE, ARCHIVE_PART, NOT_MODIFIED),
    errors=(SecretFound, StoreError),
)
async def get_artifact(request: Request) -> Response:
    """Counts what is sent from its beginning: a download that is resumed counts once."""
    services, task = get_extension(request, BuildServices), await readable_build(request)
    make = partial(_archive, task, services.secrets.current())
    data, etag = await services.checkpoint_reader.export(task, make)
    headers = {**GENERATED_CONTENT, "ETag": etag}
    if etag in (tag.strip().removeprefix("W/") for tag in IF_NONE_MATCH.read(request).split(",")):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{_name(task)}"'
    response = ranged_response(request, data, etag, headers, ARCHIVE.media_type)
    if response.status_code == 200:
        await services.builds.count_download(task.id)
    return response


@operation(
    "getQaReport",
    "GET /task/{task_id}/qa-report",
    "Show what is known of the quality of a build",
    traits=(OWN_TASK,),
    responses=(REPORT,),
)
async def get_report(request: Request) -> Response:
    services, task = get_extension(request, BuildServices), await readable_build(request)
    return REPORT.make(await services.checkpoint_reader.read(task, _report))


async def readable_build(request: Request) -> Task:
    """The build in the path: one's own, or one of a blueprint that one may read. Raises NotFound."""
    try:
        task = await own_task(request)
    except NotFound:
        task = await _build_of_others(request, request.path_params["task_id"])
    if task.kind != NAME:
        raise NotFound(Phrase("a task of kind {kind!r} is no build", kind=task.kind[:100]))
    return task


async def _build_of_others(request: Request, task_id: str) -> Task:
    services = get_extension(request, BuildServices)
    if row := await services.builds.get(task_id):
        await services.workspace.resource(BLUEPRINTS).get(row.blueprint_id, get_principal(request).id)
        for task in await services.store.find(TaskQuery(id=task_id, limit=1)):
            return task
    raise NotFound("there is no such task, or it belongs to another client")


def _name(task: Task) -> str:
    """An identifier, which the task was made with, and an ending."""
    return f"{task.parameters['project_name']}.zip"


# --- called in a thread -----------------------------------------------------------------------------


def _facts(checkpoints: Checkpoints) -> ArchiveFacts | None:
    stored = checkpoints.get(ARCHIVED)
    return ArchiveFacts.model_validate_json(stored) if stored else None


def _archive(task: Task, secrets: tuple[str, ...], checkpoints: Checkpoints) -> tuple[bytes, str]:
    """The bytes, and their ETag. Raises NotFound, SecretFound."""
    if ARCHIVED not in checkpoints:
        raise NotFound("this build has no archive, or not yet")
    files = files_of(checkpoints)
    if found := paths_with_own_secrets(files, secrets):
        raise SecretFound(
            Phrase("{found!r} holds a secret of this service, which is never served", found=found[0][:200])
        )
    data = archive(files, str(task.parameters["project_name"]))
    return data, f'"{hashlib.sha256(data).hexdigest()}"'


def _report(checkpoints: Checkpoints) -> QaReport:
    if QA not in checkpoints:
        raise NotFound("this build has no report yet")
    return QaReport.model_validate_json(checkpoints[QA])
