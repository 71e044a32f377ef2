"""Rendering, export and import of prompt templates, beside the operations of every resource."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import update
from starlette.requests import Request
from starlette.responses import Response

from gencode.domain.errors import Invalid
from gencode.http.base_models import RequestModel, ResponseModel
from gencode.http.body_specs import JsonBody
from gencode.http.dependencies import get_extension, get_principal
from gencode.http.operation import operation
from gencode.http.response_specs import JsonResponseSpec
from gencode.workspace.errors import AlreadyTaken
from gencode.workspace.parameters import ONE, actor_of, id_in_path
from gencode.workspace.prompt_templates.placeholders import render
from gencode.workspace.prompt_templates.resource import (
    PROMPT_TEMPLATES,
    PromptTemplate,
    PromptTemplateCreation,
    PromptTemplateView,
)
from gencode.workspace.resources.routes import operations_of
from gencode.workspace.resources.store import PageQuery, ResourceStore
from gencode.workspace.workspace import Workspace

MAX_EXPORTED = 500
Value = Annotated[str, StringConstraints(max_length=100_000)]


class RenderRequest(RequestModel):
    """A value for each placeholder."""

    variables: Annotated[dict[str, Value], Field(max_length=200)] = Field(default_factory=dict)


class RenderedTemplate(ResponseModel):
    text: str


class TemplateExport(ResponseModel):
    """What an import takes."""

    templates: list[PromptTemplateCreation]


class TemplateImport(RequestModel):
    templates: Annotated[list[PromptTemplateCreation], Field(min_length=1, max_length=MAX_EXPORTED)]


class ImportedTemplates(ResponseModel):
    """Identifiers."""

    created: list[str]
    changed: list[str]


RENDER = JsonBody(model=RenderRequest)
IMPORT = JsonBody(model=TemplateImport)
RENDERED = JsonResponseSpec(model=RenderedTemplate, description="The text with the values")
EXPORTED = JsonResponseSpec(model=TemplateExport, description="One's own templates")
IMPORTED = JsonResponseSpec(model=ImportedTemplates, description="What was created and changed")


@operation(
    "renderPromptTemplate",
    "POST /prompts/{id:uuid}/render",
    "Render a prompt template",
    traits=(ONE,),
    body=RENDER,
    responses=(RENDERED,),
)
async def render_template(request: Request) -> Response:
    template = await _store(request).get(id_in_path(request), get_principal(request).id)
    text = render(template.content, (await RENDER.read(request)).variables)
    counted = update(PromptTemplate).where(PromptTemplate.id == template.id)
    async with get_extension(request, Workspace).database.transaction() as session:
        await session.execute(
            counted.values(usage_count=PromptTemplate.usage_count + 1, updated_at=PromptTemplate.updated_at)
        )
    return RENDERED.make(RenderedTemplate(text=text))


@operation(
    "exportPromptTemplates",
    "GET /prompts/export",
    f"Export one's own prompt templates, {MAX_EXPORTED} at most",
    responses=(EXPORTED,),
)
async def export_templates(request: Request) -> Response:
    return EXPORTED.make(TemplateExport(templates=[_as_creation(row) for row in await _own(request)]))


@operation(
    "importPromptTemplates",
    "POST /prompts/import",
    "Create templates, and change those with the same identifier: one that failed can be repeated",
    body=IMPORT,
    responses=(IMPORTED,),
    errors=(AlreadyTaken,),
)
async def import_templates(request: Request) -> Response:
    given = (await IMPORT.read(request)).templates
    _require_unique([one.identifier for one in given])
    store, actor = _store(request), actor_of(request)
    own = {row.identifier: row for row in await _own(request)}
    created, changed = [], []
    for one in given:
        values = one.model_dump(mode="json")
        if row := own.get(one.identifier):
            await store.change(row.id, values, actor, None)
            changed.append(one.identifier)
        else:
            await store.create(values, actor)
            created.append(one.identifier)
    return IMPORTED.make(ImportedTemplates(created=created, changed=changed))


def _require_unique(identifiers: list[str]) -> None:
    if len(set(identifiers)) != len(identifiers):
        message = "an identifier stands twice"
        raise Invalid.of("templates", "unique", message)


def _store(request: Request) -> ResourceStore[PromptTemplate, PromptTemplateView]:
    workspace = get_extension(request, Workspace)
    return workspace.resource(PROMPT_TEMPLATES)


async def _own(request: Request) -> list[PromptTemplate]:
    owner = get_principal(request).id
    query = PageQuery(limit=MAX_EXPORTED, sort="name", descending=False, filters={"owner": owner})
    return list(await _store(request).page(query, owner))[:MAX_EXPORTED]


def _as_creation(row: PromptTemplate) -> PromptTemplateCreation:
    fields = PromptTemplateCreation.model_fields
    return PromptTemplateCreation.model_validate({name: getattr(row, name) for name in fields})


PROMPT_TEMPLATE_OPERATIONS = (
    export_templates,
    import_templates,
    *operations_of(PROMPT_TEMPLATES),
    render_template,
)
