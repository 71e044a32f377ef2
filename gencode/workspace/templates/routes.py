"""The operations of template sets: stored, listed, proven, published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio.to_thread
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints.template_sets import ContentError, SetContent, read_archive, read_content
from gencode.domain.errors import Forbidden, Invalid
from gencode.domain.phrase import Phrase
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import RATE_LIMITED
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.http.file_body import FILE, FileBody, FileForm
from gencode.http.operation import Operation, operation
from gencode.http.parameter_types import Parameter, one_of
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.errors import (
    AlreadyTaken,
    ProjectArchived,
    TemplateCheckFailed,
    TemplateNotProven,
    VersionChanged,
)
from gencode.workspace.parameters import CURSOR, LIMIT, ONE, actor_of, id_in_path
from gencode.workspace.resources.routes import (
    ETAG,
    IF_MATCH,
    SORT,
    TEXT,
    etag,
    filters_of,
    given_filters,
    operations_of,
    page_query,
    read_page,
    read_version,
)
from gencode.workspace.resources.store import ResourceStore
from gencode.workspace.templates.models import (
    NoFields,
    TemplateCreation,
    TemplatePage,
    TemplateVersions,
    TemplateView,
    UploadFields,
    item_of,
    view_of,
)
from gencode.workspace.templates.official import official, official_items, official_view
from gencode.workspace.templates.proofs import TemplateProofs
from gencode.workspace.templates.resource import TEMPLATE_SETS, content_of, values_of
from gencode.workspace.templates.sets import own_row, refuse_official
from gencode.workspace.templates.table import ProofStatus, TemplateSetRow
from gencode.workspace.workspace import Workspace

MAX_ARCHIVE = 4 * 2**20
"""Bytes; what is larger can hold no set within the limits."""
MAX_VERSIONS = 200
CREATION = JsonBody(model=TemplateCreation)
UPLOAD = FileBody(model=UploadFields)
NEW_VERSION = FileBody(model=NoFields)
FILTERS = filters_of(TEMPLATE_SETS)
IS_OFFICIAL = Parameter(
    name="is_official",
    location="query",
    description="Only sets of the service (true), or only those of users (false)",
    type=one_of("true", "false"),
    default=None,
)
PAGE = JsonResponseSpec(model=TemplatePage, description="One's own, those of one's projects, and public ones")
SHOWN = JsonResponseSpec(model=TemplateView, description="The template set", headers=(ETAG,))
STORED = JsonResponseSpec(status=201, model=TemplateView, description="The new draft", headers=(ETAG,))
PROVEN = JsonResponseSpec(
    model=TemplateView, description="It is proven, or rejected with findings", headers=(ETAG,)
)
VERSIONS = JsonResponseSpec(model=TemplateVersions, description=f"The newest first, {MAX_VERSIONS} at most")


@operation(
    "listTemplates",
    "GET /templates",
    "List template sets",
    parameters=(LIMIT, CURSOR, SORT, TEXT, *FILTERS, IS_OFFICIAL),
    responses=(PAGE,),
)
async def list_templates(request: Request) -> Response:
    filters, wanted = given_filters(request, FILTERS), IS_OFFICIAL.read(request)
    query = page_query(request, filters)
    shown = [] if wanted == "false" else list(official_items(filters, query.text))
    page: Mapping[str, Any] = {"items": [], "next_cursor": None}
    if wanted != "true":
        page = await read_page(request, TEMPLATE_SETS, query)
    return PAGE.make(TemplatePage(official=shown, **page))


@operation(
    "createTemplate",
    "POST /templates",
    "Store a template set that is sent as JSON",
    body=CREATION,
    responses=(STORED,),
    errors=(AlreadyTaken, ProjectArchived),
)
async def create(request: Request) -> Response:
    given = await CREATION.read(request)
    content = await _content_of_json(given)
    values = given.model_dump(mode="json", exclude={"manifest", "files"})
    return _view(STORED, await _store(request).create({**values, **values_of(content)}, actor_of(request)))


@operation(
    "uploadTemplate",
    "POST /templates/upload",
    "Store a template set that is sent as a zip",
    body=UPLOAD,
    responses=(STORED,),
    errors=(AlreadyTaken, ProjectArchived),
)
async def upload(request: Request) -> Response:
    async with UPLOAD.receive(request, MAX_ARCHIVE, _check_name) as form:
        content = await _content_of_zip(form)
        values = form.fields.model_dump(mode="json") | {"name": form.fields.name or content.manifest.name}
    return _view(STORED, await _store(request).create({**values, **values_of(content)}, actor_of(request)))


@operation(
    "uploadTemplateVersion",
    "POST /templates/{id:uuid}/upload",
    "Store a zip as the next version of a template set",
    traits=(ONE,),
    body=NEW_VERSION,
    responses=(STORED,),
    errors=(AlreadyTaken, ProjectArchived, Forbidden),
)
async def upload_version(request: Request) -> Response:
    """The version before stays as it is."""
    row = await _own_row(request)
    async with NEW_VERSION.receive(request, MAX_ARCHIVE, _check_name) as form:
        content = await _content_of_zip(form)
    if content.manifest.name != row.code:
        raise Invalid.of(
            FILE,
            "value_error",
            Phrase("the manifest must have the name {code}, as this set has", code=row.code),
        )
    kept = ("name", "project_id", "framework", "category", "description", "tags")
    values = {name: getattr(row, name) for name in kept} | {"previous_id": row.id}
    return _view(STORED, await _store(request).create({**values, **values_of(content)}, actor_of(request)))


@operation(
    "getTemplate",
    "GET /templates/{id:uuid}",
    "Show a template set",
    traits=(ONE,),
    responses=(SHOWN,),
)
async def get_template(request: Request) -> Response:
    if content := official(id_in_path(request)):
        return SHOWN.make(official_view(content), {"ETag": f'"{content.sha256[:16]}"'})
    return _view(SHOWN, await _row(request))


@operation(
    "listTemplateVersions",
    "GET /templates/{id:uuid}/versions",
    "List the versions of a template set",
    traits=(ONE,),
    responses=(VERSIONS,),
)
async def list_versions(request: Request) -> Response:
    if content := official(id_in_path(request)):
        shown = official_items({"code": content.manifest.name}, "")
        return VERSIONS.make(TemplateVersions(versions=list(shown)))
    row, principal = await _row(request), get_principal(request).id
    table = TemplateSetRow
    readable = TEMPLATE_SETS.access.is_readable(table, principal) | table.is_public.is_(True)
    place = (
        (table.project_id == row.project_id)
        if row.project_id
        else (table.project_id.is_(None) & (table.owner == row.owner))
    )
    found = select(table).where(~table.is_deleted, table.code == row.code, place, readable)
    newest = found.order_by(table.created_at.desc(), table.id.desc()).limit(MAX_VERSIONS)
    async with get_extension(request, Workspace).database.transaction() as session:
        rows = (await session.scalars(newest)).all()
    return VERSIONS.make(TemplateVersions(versions=[item_of(one) for one in rows]))


@operation(
    "proveTemplate",
    "POST /templates/{id:uuid}/prove",
    "Render a template set for the corpus, and parse what comes out",
    traits=(ONE, RATE_LIMITED),
    responses=(PROVEN,),
    errors=(TemplateCheckFailed, Forbidden, ProjectArchived),
)
async def prove(request: Request) -> Response:
    """A set that was public and is rejected now is not public any more."""
    rate = await get_services(request).rate.spend(get_principal(request).id)
    row = await _own_row(request)
    found = await get_extension(request, TemplateProofs).prove(content_of(row), row.owner)
    changes: dict[str, Any] = {
        "status": ProofStatus.REJECTED.value if found else ProofStatus.PROVEN.value,
        "findings": [one.model_dump(mode="json") for one in found],
        **({"is_public": False} if found else {}),
    }
    return _view(PROVEN, await _store(request).change(row.id, changes, actor_of(request), None), rate)


@operation(
    "publishTemplate",
    "POST /templates/{id:uuid}/publish",
    "Let everybody read and apply a proven template set",
    traits=(ONE,),
    parameters=(IF_MATCH,),
    responses=(SHOWN,),
    errors=(TemplateNotProven, Forbidden, ProjectArchived, VersionChanged),
)
async def publish(request: Request) -> Response:
    refuse_official(template_id := id_in_path(request))
    version = read_version(IF_MATCH.read(request))
    changed = await _store(request).change(template_id, {"is_public": True}, actor_of(request), version)
    return _view(SHOWN, changed)


def _of_users(one: Operation) -> Operation:
    """The operation, which the sets of the service refuse."""

    async def refuse_and_call(request: Request) -> Response:
        refuse_official(id_in_path(request))
        return await one.endpoint(request)

    return replace(one, endpoint=refuse_and_call, errors=(*one.errors, Forbidden))


_, _, _, _CHANGE, _DELETE = operations_of(TEMPLATE_SETS)
TEMPLATE_OPERATIONS = (
    list_templates,
    create,
    upload,
    get_template,
    _of_users(_CHANGE),
    _of_users(_DELETE),
    upload_version,
    list_versions,
    prove,
    publish,
)


def _check_name(name: str) -> None:
    if not name.lower().endswith(".zip"):
        raise Invalid.of(FILE, "extension", "send a zip with manifest.json and the files of the set")


async def _content_of_zip(form: FileForm[Any]) -> SetContent:
    """Raises Invalid."""
    data = await form.file.content.read()
    try:
        return await anyio.to_thread.run_sync(read_archive, data)
    except ContentError as error:
        raise _invalid(error, FILE) from None


async def _content_of_json(given: TemplateCreation) -> SetContent:
    """Raises Invalid."""
    try:
        return await anyio.to_thread.run_sync(read_content, given.manifest, given.files)
    except ContentError as error:
        raise _invalid(error, "files") from None


def _invalid(error: ContentError, field: str) -> Invalid:
    """`field`: what has the files."""
    where = error.field if error.field.startswith(("manifest.", "files")) else field
    message: str = error.message
    if where != error.field:
        message = Phrase("{name}: {message}", name=error.field, message=error.message)
    return Invalid.of(where, "template_set", message)


def _store(request: Request) -> ResourceStore[TemplateSetRow, TemplateView]:
    return get_extension(request, Workspace).resource(TEMPLATE_SETS)


async def _row(request: Request) -> TemplateSetRow:
    return await _store(request).get(id_in_path(request), get_principal(request).id)


async def _own_row(request: Request) -> TemplateSetRow:
    return await own_row(get_extension(request, Workspace), id_in_path(request), get_principal(request).id)


def _view(
    spec: JsonResponseSpec[TemplateView], row: TemplateSetRow, headers: Mapping[str, str] | None = None
) -> Response:
    return spec.make(view_of(row), {**(headers or {}), "ETag": etag(row.version)})
