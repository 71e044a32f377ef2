"""The resource of requirement documents."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.documents.sections import markdown_sections
from gencode.domain.errors import Invalid
from gencode.workspace.requirement_documents.language import language_of
from gencode.workspace.requirement_documents.table import (
    LONG_COLUMNS,
    DocumentSource,
    DocumentStatus,
    RequirementDocument,
)
from gencode.workspace.requirement_documents.views import (
    RequirementDocumentChange,
    RequirementDocumentCreation,
    RequirementDocumentItem,
    RequirementDocumentView,
    item_of,
    view_of,
)
from gencode.workspace.resources.declaration import Resource


async def _complete(session: AsyncSession, row: RequirementDocument) -> None:
    """Raises Invalid for a document that is no version of one's own."""
    if row.status is not None:
        return  # it is changed
    if row.previous_id:
        await _check_previous(session, row.previous_id, row.owner)
    for column in ("optimized_content", "requirements"):
        setattr(row, column, None)
    if row.upload_id:
        row.source, row.status, row.original_content = DocumentSource.UPLOAD, DocumentStatus.PENDING, None
        row.sections = []
        return
    row.source, row.status = DocumentSource.MANUAL, DocumentStatus.COMPLETED
    text = row.original_content = (row.original_content or "").replace("\r\n", "\n").replace("\r", "\n")
    row.sections = [asdict(section) for section in markdown_sections(text)]
    row.language = language_of(text)


async def _check_previous(session: AsyncSession, previous_id: str, owner: str) -> None:
    previous = select(RequirementDocument.id).where(
        RequirementDocument.id == previous_id,
        RequirementDocument.owner == owner,
        ~RequirementDocument.is_deleted,
    )
    if await session.scalar(previous) is None:
        raise Invalid.of("previous_id", "unknown", "you have no requirement document with this id")


REQUIREMENT_DOCUMENTS: Resource[RequirementDocument, RequirementDocumentView] = Resource(
    name="RequirementDocument",
    title="requirement document",
    path="/requirements",
    table=RequirementDocument,
    creation=RequirementDocumentCreation,
    change=RequirementDocumentChange,
    view_model=RequirementDocumentView,
    view=view_of,
    item_model=RequirementDocumentItem,
    item=item_of,
    long_columns=LONG_COLUMNS,
    filters=("status", "source", "previous_id"),
    before_flush=_complete,
)
