"""What a template set contains, and what it makes of a blueprint."""

from __future__ import annotations

import json
from collections.abc import Mapping

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints.template_sets import SetContent, write_archive
from gencode.blueprints.template_sets.content import MANIFEST
from gencode.domain.errors import Invalid, NotFound
from gencode.http.base_models import UUID_PATTERN
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import DISPOSITION
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.downloads import attachment
from gencode.http.operation import ErrorResponse, operation
from gencode.http.parameter_types import Parameter, Text
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.workspace.blueprints.examination import file_views, require_valid
from gencode.workspace.blueprints.resource import BLUEPRINTS, blueprint_of
from gencode.workspace.blueprints.routes import DATABASE
from gencode.workspace.errors import (
    BlueprintInvalid,
    TemplateCheckFailed,
    TemplateFailed,
    TemplateNotProven,
)
from gencode.workspace.parameters import ONE, id_in_path
from gencode.workspace.templates.models import AppliedTemplate, ApplyRequest
from gencode.workspace.templates.proofs import TemplateProofs, stack_of
from gencode.workspace.templates.sets import readable_content, usable_content
from gencode.workspace.workspace import Workspace

APPLICATION = JsonBody(model=ApplyRequest)
APPLIED = JsonResponseSpec(model=AppliedTemplate, description="The files that the set makes")
BLUEPRINT = Parameter(
    name="blueprint_id",
    location="query",
    description="The blueprint that the set is applied to",
    type=Text(pattern=UUID_PATTERN, message="is not an id"),
    default=None,
)
_ZIP = {"type": "string", "format": "binary"}
CONTENT = ResponseSpec(
    description="The manifest and the files of the set, as an upload takes them",
    media_type="application/zip",
    schema=_ZIP,
    headers=(DISPOSITION,),
)
PROJECT = ResponseSpec(
    description="The files that the set makes, not verified: no build has proven them",
    media_type="application/zip",
    schema=_ZIP,
    headers=(DISPOSITION,),
)
_ERRORS = (
    ErrorResponse(error=NotFound, description="No such template set or blueprint, or somebody else's"),
    BlueprintInvalid,
    TemplateNotProven,
    TemplateFailed,
    TemplateCheckFailed,
)


@operation(
    "downloadTemplate",
    "GET /templates/{id:uuid}/archive.zip",
    "Download a template set",
    traits=(ONE,),
    responses=(CONTENT,),
)
async def download(request: Request) -> Response:
    content = await readable_content(_workspace(request), id_in_path(request), get_principal(request).id)
    manifest = json.dumps(content.document["manifest"], ensure_ascii=False, indent=2) + "\n"
    name = f"{content.manifest.name}-{content.manifest.version}.zip"
    return await _zip({MANIFEST: manifest, **content.sources}, name)


@operation(
    "applyTemplate",
    "POST /templates/{id:uuid}/apply",
    "Show the files that a template set makes of a blueprint",
    traits=(ONE,),
    body=APPLICATION,
    responses=(APPLIED,),
    errors=_ERRORS,
)
async def apply(request: Request) -> Response:
    given = await APPLICATION.read(request)
    content, files = await _applied(request, given.blueprint_id, given.database)
    shown = await anyio.to_thread.run_sync(file_views, files)
    return APPLIED.make(AppliedTemplate(template_sha256=content.sha256, files=shown))


@operation(
    "downloadAppliedTemplate",
    "GET /templates/{id:uuid}/project.zip",
    "Download the files that a template set makes of a blueprint",
    traits=(ONE,),
    parameters=(BLUEPRINT, DATABASE),
    responses=(PROJECT,),
    errors=_ERRORS,
)
async def download_applied(request: Request) -> Response:
    if (blueprint_id := BLUEPRINT.read(request)) is None:
        raise Invalid.of("blueprint_id", "missing", "send the id of the blueprint")
    _, files = await _applied(request, blueprint_id, DATABASE.read(request))
    return await _zip(files, f"{blueprint_id}-project.zip")


TEMPLATE_CONTENT_OPERATIONS = (download, apply, download_applied)


async def _applied(
    request: Request, blueprint_id: str, database: str
) -> tuple[SetContent, Mapping[str, str]]:
    workspace, principal = _workspace(request), get_principal(request).id
    content = await usable_content(workspace, id_in_path(request), principal)
    blueprint = blueprint_of(await workspace.resource(BLUEPRINTS).get(blueprint_id, principal))
    await anyio.to_thread.run_sync(require_valid, blueprint)
    proofs = get_extension(request, TemplateProofs)
    return content, await proofs.apply(content, blueprint, stack_of(database), principal)


async def _zip(files: Mapping[str, str], name: str) -> Response:
    data = await anyio.to_thread.run_sync(write_archive, files)
    return attachment(data, name, "application/zip")


def _workspace(request: Request) -> Workspace:
    return get_extension(request, Workspace)
