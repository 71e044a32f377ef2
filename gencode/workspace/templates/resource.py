"""The resource of template sets, and what it checks when a set is stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.blueprints.template_sets import SetContent, read_content
from gencode.workspace.errors import TemplateNotProven
from gencode.workspace.projects.access import IN_PROJECT
from gencode.workspace.resources.declaration import Resource
from gencode.workspace.templates.models import (
    TemplateChange,
    TemplateCreation,
    TemplateItem,
    TemplateView,
    item_of,
    view_of,
)
from gencode.workspace.templates.table import ProofStatus, TemplateSetRow


def content_of(row: TemplateSetRow) -> SetContent:
    return read_content(row.content["manifest"], row.content["files"])


def values_of(content: SetContent) -> dict[str, Any]:
    """The columns that follow from the content."""
    return {
        "code": content.manifest.name,
        "version_tag": content.manifest.version,
        "content": content.document,
        "sha256": content.sha256,
        "files": len(content.sources),
        "bytes": content.bytes,
    }


async def _check_public(_session: AsyncSession, row: TemplateSetRow) -> None:
    """Raises TemplateNotProven."""
    if row.is_public and row.status != ProofStatus.PROVEN:
        raise TemplateNotProven("only a proven set can be public: POST .../prove first")


def _is_public() -> ColumnElement[bool]:
    return TemplateSetRow.is_public.is_(True)


TEMPLATE_SETS: Resource[TemplateSetRow, TemplateView] = Resource(
    name="Template",
    title="template set",
    path="/templates",
    table=TemplateSetRow,
    creation=TemplateCreation,
    change=TemplateChange,
    view_model=TemplateView,
    view=view_of,
    item_model=TemplateItem,
    item=item_of,
    taken={
        "uq_template_sets_project_version": "version_tag",
        "uq_template_sets_owner_version": "version_tag",
    },
    filters=("category", "framework", "status", "project_id", "code"),
    before_flush=_check_public,
    access=IN_PROJECT,
    is_shared=_is_public,
    errors=(TemplateNotProven,),
    long_columns=("content",),
)
