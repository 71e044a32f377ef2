"""Import of texts of other tools as blueprints, and export of blueprints."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import anyio.to_thread
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from gencode.blueprints import Blueprint, is_valid, validate
from gencode.blueprints.exporting import Dialect, exported_dbml, exported_sql
from gencode.blueprints.importing import MAX_CHARACTERS, Imported, ImportFailed, SourceFormat
from gencode.blueprints.importing.limited_importer import LimitedImporter
from gencode.documents.errors import DocumentReaderFailed
from gencode.domain.errors import Invalid
from gencode.http.base_models import RequestModel, ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.common_declarations import DISPOSITION
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.downloads import attachment
from gencode.http.operation import operation
from gencode.http.parameter_types import Parameter, one_of
from gencode.http.response_specs import JsonResponseSpec, ResponseSpec
from gencode.http.submit_operation import ACCEPT_LANGUAGE, request_language
from gencode.limited_child.process import ChildFailed
from gencode.workspace.blueprints.examination import FindingView, finding_views, require_valid
from gencode.workspace.blueprints.resource import (
    BLUEPRINTS,
    BlueprintItem,
    Name,
    VersionTag,
    blueprint_of,
    item_of,
)
from gencode.workspace.errors import AlreadyTaken, BlueprintInvalid, ProjectArchived
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.resources.models import RowId
from gencode.workspace.workspace import Workspace


class BlueprintImport(RequestModel):
    """`format`: of `text`; `dialect`: of SQL, else a guess. `store`: whether a draft is made of it."""

    format: Annotated[SourceFormat, Field(strict=False)]
    dialect: Literal["postgres", "mysql", "tsql", "oracle", "sqlite"] | None = None
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]
    store: bool = True
    name: Name | None = Field(default=None, description="Of the draft; default: the title that the text has")
    version_tag: VersionTag = "0.1.0"
    project_id: RowId | None = None


class NoteView(ResponseModel):
    """What of the text the blueprint has not, or has in another form. `line`: of the text; 0 is the whole."""

    element: str
    line: int
    rule: str
    message: str


class ImportedBlueprint(ResponseModel):
    """`spec` has the fixes of its errors; `findings`: what is left; `blueprint`: the draft, if any."""

    is_valid: bool
    spec: Blueprint
    notes: list[NoteView]
    findings: list[FindingView]
    blueprint: BlueprintItem | None


IMPORT_BODY = JsonBody(model=BlueprintImport)
STORED = JsonResponseSpec(status=201, model=ImportedBlueprint, description="The draft, and what was imported")
READ = JsonResponseSpec(model=ImportedBlueprint, description="What was imported, with `store` false")
EXPORTED = ResponseSpec(
    description="The document as JSON, or the data models as DBML or SQL",
    media_type="text/plain",
    headers=(DISPOSITION,),
)
FORMAT = Parameter(
    name="format",
    location="query",
    description="blueprint (the document), dbml or sql (the data models)",
    type=one_of("blueprint", "dbml", "sql"),
    default="blueprint",
)
DIALECT = Parameter(
    name="dialect",
    location="query",
    description="Of SQL: postgres, or mysql (also for MariaDB)",
    type=one_of("postgres", "mysql"),
    default="postgres",
)
_SUFFIXES = {"blueprint": "json", "dbml": "dbml", "sql": "sql"}


@operation(
    "importBlueprint",
    "POST /blueprints/import",
    "Make a blueprint of SQL, DBML, JDL, OpenAPI, or an exported document",
    body=IMPORT_BODY,
    parameters=(ACCEPT_LANGUAGE,),
    responses=(STORED, READ),
    errors=(AlreadyTaken, ProjectArchived, DocumentReaderFailed),
)
async def import_blueprint(request: Request) -> Response:
    given = await IMPORT_BODY.read(request)
    workspace = get_extension(request, Workspace)
    imported = await _imported(workspace.importer, given)
    draft = await _stored(request, given, imported.blueprint) if given.store else None
    language = request_language(request)
    view = await anyio.to_thread.run_sync(_view, imported, draft, language)
    return (STORED if given.store else READ).make(view)


@operation(
    "exportBlueprint",
    "GET /blueprints/{id:uuid}/export",
    "Export a blueprint, or its data models as DBML or SQL",
    traits=(ONE,),
    parameters=(FORMAT, DIALECT),
    responses=(EXPORTED,),
    errors=(BlueprintInvalid,),
)
async def export_blueprint(request: Request) -> Response:
    row = (
        await get_extension(request, Workspace)
        .resource(BLUEPRINTS)
        .get(id_in_path(request), get_principal(request).id)
    )
    kind, dialect = FORMAT.read(request), Dialect(DIALECT.read(request))
    text = await anyio.to_thread.run_sync(_exported, blueprint_of(row), kind, dialect)
    return attachment(text.encode(), f"{row.id}.{_SUFFIXES[kind]}", "text/plain")


EXCHANGE_OPERATIONS = (import_blueprint, export_blueprint)


async def _imported(importer: LimitedImporter, given: BlueprintImport) -> Imported:
    """Raises Invalid with the line and the column, DocumentReaderFailed."""
    try:
        return await importer.import_text(given.format, given.text, given.dialect or "")
    except ImportFailed as failure:
        raise Invalid.of("text", given.format.value, str(failure)) from None
    except ChildFailed as failure:
        raise DocumentReaderFailed(f"The process that imports failed ({failure.reason}). Try again") from None


async def _stored(request: Request, given: BlueprintImport, blueprint: Blueprint) -> BlueprintItem:
    printable = "".join(one for one in blueprint.label or blueprint.project_name if one.isprintable())
    values = {
        "name": given.name or printable.strip()[:100] or "Imported",
        "version_tag": given.version_tag,
        "project_id": given.project_id,
        "spec": blueprint.model_dump(mode="json", by_alias=True),
    }
    store = get_extension(request, Workspace).resource(BLUEPRINTS)
    return item_of(await store.create(values, actor_of(request)))


def _view(imported: Imported, draft: BlueprintItem | None, language: str) -> ImportedBlueprint:
    findings = validate(imported.blueprint)
    return ImportedBlueprint(
        is_valid=is_valid(findings),
        spec=imported.blueprint,
        notes=[NoteView.model_validate(dict(note.shown(language))) for note in imported.notes],
        findings=finding_views(findings, language),
        blueprint=draft,
    )


def _exported(blueprint: Blueprint, kind: str, dialect: Dialect) -> str:
    """Raises BlueprintInvalid: tables of a document with errors may have no names."""
    if kind == "blueprint":
        document = blueprint.model_dump(mode="json", by_alias=True)
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    require_valid(blueprint)
    return exported_dbml(blueprint) if kind == "dbml" else exported_sql(blueprint, dialect)
