"""The JSON of requirement documents."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gencode.documents.document import DocumentWarning, WarningCode
from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, RequestModel, ResponseModel, Words
from gencode.workspace.requirement_documents.requirement import Requirement
from gencode.workspace.requirement_documents.table import (
    DocumentSource,
    DocumentStatus,
    RequirementDocument,
)
from gencode.workspace.resources.models import PRINTABLE, RowId, unchanged

MAX_TYPED = 200_000
"""Characters of a text that is sent as JSON; a longer one is uploaded as a file."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
_TEXT_WITH_WORDS = r"^[^\x00]*[^\x00\s][^\x00]*$"
Content = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TYPED, pattern=_TEXT_WITH_WORDS)]


class RequirementDocumentCreation(RequestModel):
    """`previous_id`: the document of which this is a new version."""

    name: Name
    original_content: Content
    previous_id: RowId | None = None


class RequirementDocumentChange(RequestModel):
    """A text is not changed: send a new version with `previous_id`."""

    name: Name = unchanged("")


class UploadFields(RequestModel):
    """The fields of an upload besides its file. `name`: the file's if it is not given."""

    name: Name | None = None
    previous_id: RowId | None = None


class DocumentWarningView(ResponseModel):
    """What the text lacks, or what was assumed."""

    code: str
    message: Words = Field(description="In English")
    message_zh: Words


class ChangedRequirement(ResponseModel):
    before: Requirement
    after: Requirement


class RequirementChangesView(ResponseModel):
    """The changes between the requirements of two versions.

    changed    another statement, type or acceptance criteria
    moved      the same, under another heading or at another place among the others
    unchanged  their number
    """

    from_id: str
    to_id: str
    added: list[Requirement]
    removed: list[Requirement]
    changed: list[ChangedRequirement]
    moved: list[ChangedRequirement]
    unchanged: int


class RequirementDocumentItem(ResponseModel):
    """A requirement document in a list.

    parse_task_id      the task that read the file last: its events are at /api/v1/status/{id}
    analysis_task_id   the task that found its requirements
    requirement_count  null without an analysis
    """

    id: str
    owner: str
    name: Words
    source: DocumentSource
    status: DocumentStatus
    original_filename: Words | None
    file_size: int | None
    mime_type: str | None
    language: str
    warnings: list[DocumentWarningView]
    previous_id: str | None
    parse_task_id: str | None
    analysis_task_id: str | None
    requirement_count: int | None
    error_code: str | None
    error_message: Words | None
    created_at: Moment
    updated_at: Moment


class RequirementDocumentView(RequirementDocumentItem):
    """original_content   the text, in Markdown where the file has structure; null until it is read
    optimized_content  its requirements as a document in Markdown; null without an analysis
    """

    original_content: Words | None
    optimized_content: Words | None


_COLUMNS = (
    *("id", "owner", "name", "original_filename", "file_size", "mime_type", "language", "previous_id"),
    *("parse_task_id", "analysis_task_id", "requirement_count", "error_code", "error_message"),
)


def item_of(row: RequirementDocument) -> RequirementDocumentItem:
    return RequirementDocumentItem(**_fields(row))


def view_of(row: RequirementDocument) -> RequirementDocumentView:
    return RequirementDocumentView(
        **_fields(row), original_content=row.original_content, optimized_content=row.optimized_content
    )


def _fields(row: RequirementDocument) -> dict[str, Any]:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return columns | {
        "source": DocumentSource(row.source),
        "status": DocumentStatus(row.status),
        "warnings": [_warning(each) for each in row.warnings],
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def _warning(stored: dict[str, Any]) -> DocumentWarningView:
    warning = DocumentWarning(code=WarningCode(stored["code"]), values=stored["values"])
    return DocumentWarningView(
        code=warning.code.value, message=warning.message("en"), message_zh=warning.message("zh")
    )
