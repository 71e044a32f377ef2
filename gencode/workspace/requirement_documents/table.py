"""The table of requirement documents."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text, and_
from sqlalchemy.orm import Mapped, mapped_column

from gencode.workspace.resources.declaration import OwnedRow
from gencode.workspace.task_rows import TaskRows


class DocumentSource(StrEnum):
    MANUAL = "manual"
    """Typed, or sent as a text."""
    UPLOAD = "upload"


class DocumentStatus(StrEnum):
    PENDING = "pending"
    """Uploaded, and not read yet."""
    PROCESSING = "processing"
    COMPLETED = "completed"
    """It has a text."""
    FAILED = "failed"


LONG_COLUMNS = ("original_content", "optimized_content", "sections", "requirements")
"""What lists leave out."""


class RequirementDocument(OwnedRow):
    """original_content   the text; null until the file is read
    optimized_content  the requirements as a document of their own; null without an analysis
    sections           JSON of `gencode.documents.document.Section`, of the text
    warnings           JSON: what the text lacks, by code and values
    requirements       JSON of an Analysis; null without one
    upload_id          the file
    parse_task_id      the task that reads the file; parse_task_version: see TaskRows
    previous_id        the document of which this is a new version
    error_code         null unless it failed
    language           "en" or "zh": which its text is mainly in
    """

    __tablename__ = "requirement_documents"

    source: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), index=True)
    original_content: Mapped[str | None] = mapped_column(Text, deferred=True)
    optimized_content: Mapped[str | None] = mapped_column(Text, deferred=True)
    sections: Mapped[list[dict[str, Any]]] = mapped_column(JSON, deferred=True, default=list)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    requirements: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    original_filename: Mapped[str | None] = mapped_column(String(255))
    file_size: Mapped[int | None]
    mime_type: Mapped[str | None] = mapped_column(String(100))
    upload_id: Mapped[str | None] = mapped_column(String(36))
    previous_id: Mapped[str | None] = mapped_column(String(36), index=True)
    parse_task_id: Mapped[str | None] = mapped_column(String(36))
    parse_task_version: Mapped[int] = mapped_column(default=0)
    analysis_task_id: Mapped[str | None] = mapped_column(String(36))
    requirement_count: Mapped[int | None]
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_message: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(10), default="en")

    __table_args__ = (
        CheckConstraint("source IN ('manual', 'upload')", name="source"),
        CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed')", name="status"),
    )


PARSE_TASKS = TaskRows(
    table=RequirementDocument,
    open=(DocumentStatus.PENDING.value, DocumentStatus.PROCESSING.value),
    failed=DocumentStatus.FAILED.value,
    owned=lambda principal: and_(RequirementDocument.owner == principal, ~RequirementDocument.is_deleted),
    task="parse_task_id",
    version="parse_task_version",
    text="error_message",
    more=lambda: {"version": RequirementDocument.version + 1},
)
