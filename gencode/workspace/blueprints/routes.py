"""The operations of blueprints beside those of every resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints import Blueprint
from gencode.domain.errors import NotFound
from gencode.http.base_models import UUID_PATTERN
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import DISPOSITION
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.downloads import attachment
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, Text, one_of
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.submit_operation import ACCEPT_LANGUAGE, request_language
from gencode.workspace.blueprints.cloning import clone_blueprints
from gencode.workspace.blueprints.examination import (
    BlueprintDocument,
    Comparison,
    ExaminedBlueprint,
    Preview,
    archive_of,
    compared,
    examine,
    preview_of,
    require_valid,
)
from gencode.workspace.blueprints.exchange import EXCHANGE_OPERATIONS
from gencode.workspace.blueprints.impact import Version
from gencode.workspace.blueprints.predecessors import published_predecessors, usable
from gencode.workspace.blueprints.proposals.routes import PROPOSAL_OPERATIONS
from gencode.workspace.blueprints.resource import (
    BLUEPRINTS,
    BlueprintHistory,
    BlueprintInProject,
    BlueprintItem,
    BlueprintView,
    NewVersion,
    blueprint_of,
    item_of,
    view_of,
)
from gencode.workspace.blueprints.table import BlueprintRow
from gencode.workspace.errors import AlreadyTaken, BlueprintInvalid, ProjectArchived, VersionChanged
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.projects.contents import CLONED
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.resources.routes import (
    ETAG,
    IF_MATCH,
    ListWithin,
    etag,
    list_operation,
    operations_of,
    read_version,
    require_readable,
)
from gencode.workspace.resources.store import ResourceStore
from gencode.workspace.workspace import Workspace

T = TypeVar("T")
DATABASE = Parameter(
    name="database",
    location="query",
    description="What the project is rendered for: postgresql, or mysql (also for MariaDB)",
    type=one_of("postgresql", "mysql"),
    default="postgresql",
)
FRONTEND = Parameter(
    name="frontend",
    location="query",
    description="With which front end: vue, or none",
    type=one_of("vue", "none"),
    default="none",
)
BEFORE = Parameter(
    name="from",
    location="query",
    description="The id of the older version; default: the one that this was made from",
    type=Text(pattern=UUID_PATTERN, message="is not an id"),
    default=None,
)
FROM = Parameter(
    name="from",
    location="query",
    description="The id of an older version: also show what changes in its project",
    type=Text(pattern=UUID_PATTERN, message="is not an id"),
    default=None,
)
DOCUMENT = JsonBody(model=BlueprintDocument)
IN_PROJECT_BODY = JsonBody(model=BlueprintInProject)
VERSION_BODY = JsonBody(model=NewVersion)
EXAMINED = JsonResponseSpec(model=ExaminedBlueprint, description="Its findings, and the mended document")
PUBLISHED = JsonResponseSpec(model=BlueprintView, description="The blueprint", headers=(ETAG,))
CREATED = JsonResponseSpec(status=201, model=BlueprintView, description="The new blueprint", headers=(ETAG,))
PREVIEW = JsonResponseSpec(model=Preview, description="The files of the project, and the findings")
COMPARED = JsonResponseSpec(model=Comparison, description="What was changed since the older version")
HISTORY = JsonResponseSpec(model=BlueprintHistory, description="The newest first")
ARCHIVE = ResponseSpec(
    description="The project, not verified: no build has proven it",
    media_type="application/zip",
    schema={"type": "string", "format": "binary"},
    headers=(DISPOSITION,),
)
MAX_HISTORY = 200


@operation(
    "validateBlueprint",
    "POST /blueprints/validate",
    "Validate a document without storing it",
    body=DOCUMENT,
    parameters=(ACCEPT_LANGUAGE,),
    responses=(EXAMINED,),
)
async def validate_blueprint(request: Request) -> Response:
    given = await DOCUMENT.read(request)
    return EXAMINED.make(await _in_thread(examine, given.spec, request_language(request)))


@operation(
    "createProjectBlueprint",
    "POST /projects/{id:uuid}/blueprints",
    "Create a blueprint in a project",
    traits=(ONE,),
    body=IN_PROJECT_BODY,
    responses=(CREATED,),
    errors=(AlreadyTaken, ProjectArchived),
)
async def create_in_project(request: Request) -> Response:
    given = await IN_PROJECT_BODY.read(request)
    await require_readable(request, PROJECTS)
    values = {**given.model_dump(mode="json"), "project_id": id_in_path(request)}
    return _view(CREATED, await _store(request).create(values, actor_of(request)))


@operation(
    "examineBlueprint",
    "GET /blueprints/{id:uuid}/findings",
    "Show the findings of a blueprint",
    traits=(ONE,),
    parameters=(ACCEPT_LANGUAGE,),
    responses=(EXAMINED,),
)
async def get_findings(request: Request) -> Response:
    blueprint = await _blueprint(request, id_in_path(request))
    return EXAMINED.make(await _in_thread(examine, blueprint, request_language(request)))


@operation(
    "previewBlueprint",
    "GET /blueprints/{id:uuid}/preview",
    "Show the files of a blueprint's project",
    traits=(ONE,),
    parameters=(DATABASE, FRONTEND, FROM, ACCEPT_LANGUAGE),
    responses=(PREVIEW,),
    errors=(BlueprintInvalid,),
)
async def preview(request: Request) -> Response:
    version = await _version(request, id_in_path(request))
    stack, language = _stack(request), request_language(request)
    older = await _version(request, before) if (before := FROM.read(request)) else None
    return PREVIEW.make(await _in_thread(preview_of, version, older, stack, language))


def _stack(request: Request) -> dict[str, str]:
    return {"database": DATABASE.read(request), "frontend": FRONTEND.read(request)}


@operation(
    "downloadBlueprintProject",
    "GET /blueprints/{id:uuid}/project.zip",
    "Download the project of a blueprint",
    traits=(ONE,),
    parameters=(DATABASE, FRONTEND),
    responses=(ARCHIVE,),
    errors=(BlueprintInvalid,),
)
async def download(request: Request) -> Response:
    version = await _version(request, id_in_path(request))
    data = await _in_thread(archive_of, version, _stack(request))
    return attachment(data, f"{id_in_path(request)}-project.zip", "application/zip")


@operation(
    "compareBlueprint",
    "GET /blueprints/{id:uuid}/diff",
    "Compare a version of a blueprint with an older one",
    traits=(ONE,),
    parameters=(BEFORE, DATABASE, ACCEPT_LANGUAGE),
    responses=(COMPARED,),
)
async def compare_versions(request: Request) -> Response:
    row = await _row(request, id_in_path(request))
    older = BEFORE.read(request) or row.parent_id
    old = await _blueprint(request, older) if older else Blueprint()
    database, language = DATABASE.read(request), request_language(request)
    return COMPARED.make(await _in_thread(compared, old, blueprint_of(row), database, language))


@operation(
    "getBlueprintHistory",
    "GET /blueprints/{id:uuid}/history",
    f"List the versions that a blueprint was made from, {MAX_HISTORY} at most",
    traits=(ONE,),
    responses=(HISTORY,),
)
async def get_history(request: Request) -> Response:
    row: BlueprintRow | None = await _row(request, id_in_path(request))
    versions: list[BlueprintItem] = []
    while row is not None and len(versions) < MAX_HISTORY:
        versions.append(item_of(row))
        row = await _parent(request, row)
    return HISTORY.make(BlueprintHistory(versions=versions))


@operation(
    "publishBlueprint",
    "POST /blueprints/{id:uuid}/publish",
    "Make a draft a version, which is not changed any more",
    traits=(ONE,),
    parameters=(IF_MATCH,),
    responses=(PUBLISHED,),
    errors=(BlueprintInvalid, VersionChanged),
)
async def publish(request: Request) -> Response:
    row = await _row(request, id_in_path(request))
    await _in_thread(require_valid, blueprint_of(row))
    version = read_version(IF_MATCH.read(request)) or row.version
    changed = await _store(request).change(row.id, {"is_draft": False}, actor_of(request), version)
    return _view(PUBLISHED, changed)


@operation(
    "createBlueprintVersion",
    "POST /blueprints/{id:uuid}/versions",
    "Make a new draft from a version",
    traits=(ONE,),
    body=VERSION_BODY,
    responses=(CREATED,),
    errors=(AlreadyTaken, ProjectArchived),
)
async def create_version(request: Request) -> Response:
    given = await VERSION_BODY.read(request)
    row = await _row(request, id_in_path(request))
    values = {
        "name": row.name,
        "project_id": row.project_id,
        "version_tag": given.version_tag,
        "spec": row.spec,
        "parent_id": row.id,
    }
    return _view(CREATED, await _store(request).create(values, actor_of(request)))


OF_A_PROJECT = ListWithin(
    name="listProjectBlueprints",
    path="/projects/{id:uuid}/blueprints",
    summary="List the blueprints of a project",
    column="project_id",
    parent=PROJECTS,
)
CLONED[BlueprintRow] = clone_blueprints
BLUEPRINT_OPERATIONS = (
    validate_blueprint,
    *operations_of(BLUEPRINTS),
    create_in_project,
    list_operation(BLUEPRINTS, OF_A_PROJECT),
    get_findings,
    preview,
    download,
    compare_versions,
    get_history,
    publish,
    create_version,
    *EXCHANGE_OPERATIONS,
    *PROPOSAL_OPERATIONS,
)


def _store(request: Request) -> ResourceStore[BlueprintRow, BlueprintView]:
    return get_extension(request, Workspace).resource(BLUEPRINTS)


async def _row(request: Request, blueprint_id: str) -> BlueprintRow:
    return await _store(request).get(blueprint_id, get_principal(request).id)


async def _blueprint(request: Request, blueprint_id: str) -> Blueprint:
    return blueprint_of(await _row(request, blueprint_id))


async def _version(request: Request, blueprint_id: str) -> Version:
    row = await _row(request, blueprint_id)
    older = await published_predecessors(_store(request), row, get_principal(request).id)
    return Version(blueprint=blueprint_of(row), predecessors=await _in_thread(usable, older))


async def _parent(request: Request, row: BlueprintRow) -> BlueprintRow | None:
    if row.parent_id is None:
        return None
    try:
        return await _row(request, row.parent_id)
    except NotFound:
        return None


def _view(spec: JsonResponseSpec[BlueprintView], row: BlueprintRow) -> Response:
    return spec.make(view_of(row), {"ETag": etag(row.version)})


async def _in_thread(make: Callable[..., T], *arguments: object) -> T:
    """Validating or rendering a large document takes a second."""
    return await anyio.to_thread.run_sync(make, *arguments)
