"""What tasks read of requirement documents, and what they write into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import undefer

from gencode.documents.document import Document
from gencode.domain.errors import NotFound
from gencode.workspace.database import Database
from gencode.workspace.requirement_documents.language import language_of
from gencode.workspace.requirement_documents.requirement import Analysis, Requirement
from gencode.workspace.requirement_documents.table import (
    LONG_COLUMNS,
    PARSE_TASKS,
    DocumentStatus,
    RequirementDocument,
)
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.table import Upload

MAX_VERSIONS = 50
"""Of a document that are looked through for an analysis."""


class RequirementDocuments:
    """`owner`: the id of the principal. Documents of others, and deleted ones, raise NotFound. Each write may
    be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, document_id: str, owner: str) -> RequirementDocument:
        """With its text. Raises NotFound."""
        async with self._database.transaction() as session:
            return _require(await session.scalar(_own(document_id, owner)))

    async def lost(self, owner: str, before: datetime, upload: Upload) -> RequirementDocument | None:
        """The document of an equal upload whose task was not stored: see TaskRows.lost."""
        equal = (Upload.owner == owner, Upload.sha256 == upload.sha256, Upload.name == upload.name)
        mine = (RequirementDocument.owner == owner, ~RequirementDocument.is_deleted, PARSE_TASKS.lost(before))
        has_upload = RequirementDocument.upload_id.in_(select(Upload.id).where(*equal))
        async with self._database.transaction() as session:
            return await session.scalar(select(RequirementDocument).where(*mine, has_upload).limit(1))

    async def begin(self, document_id: str, owner: str, task: TaskVersion) -> RequirementDocument:
        """The document, which the task reads from now on. Raises NotFound."""
        changes = {
            "status": DocumentStatus.PROCESSING,
            **PARSE_TASKS.at(task),
            "error_code": None,
            "error_message": None,
        }
        return await self._change(document_id, owner, changes, PARSE_TASKS.may_begin(task))

    async def assign(self, document_id: str, owner: str, task: TaskVersion) -> RequirementDocument:
        """The document, with the task that will read it, unless it, or a newer one, already does. Raises
        NotFound."""
        changes = {"status": DocumentStatus.PENDING, **PARSE_TASKS.at(task)}
        return await self._change(document_id, owner, changes, PARSE_TASKS.may_be_assigned(task.id))

    async def finish(self, document_id: str, owner: str, task: TaskVersion, document: Document) -> None:
        """Stores the text that the task has read, unless another task reads it by now. Raises NotFound."""
        await self._change(
            document_id,
            owner,
            {
                "status": DocumentStatus.COMPLETED,
                "original_content": document.text,
                "sections": [asdict(section) for section in document.sections],
                "warnings": [
                    {"code": warning.code.value, "values": dict(warning.values)}
                    for warning in document.warnings
                ],
                "language": language_of(document.text),
                "error_code": None,
                "error_message": None,
            },
            PARSE_TASKS.may_go_on(task),
        )

    async def fail(self, document_id: str, owner: str, task: TaskVersion, code: str, message: str) -> None:
        """Stores why it was not read, unless another task reads it by now. Raises NotFound."""
        changes = {"status": DocumentStatus.FAILED, "error_code": code, "error_message": message[:2000]}
        await self._change(document_id, owner, changes, PARSE_TASKS.may_go_on(task))

    async def last_analysis(self, row: RequirementDocument) -> Analysis | None:
        """Of this document, else of the nearest version before it that has one."""
        for _ in range(MAX_VERSIONS):
            if row.requirements:
                return Analysis.model_validate(row.requirements)
            if not row.previous_id:
                return None
            try:
                row = await self.get(row.previous_id, row.owner)
            except NotFound:
                return None
        return None

    async def store_analysis(self, document_id: str, owner: str, analysis: Analysis, text: str) -> None:
        """`text`: the requirements as a document. Raises NotFound."""
        changes = {
            "requirements": analysis.model_dump(mode="json"),
            "requirement_count": len(analysis.requirements),
            "optimized_content": text,
            "analysis_task_id": analysis.task_id,
        }
        await self._change(document_id, owner, changes, true())

    async def requirements(self, document_id: str, owner: str) -> Sequence[Requirement]:
        """For tasks that check something against them: ids, statements, acceptance criteria. Empty without an
        analysis. Raises NotFound."""
        row = await self.get(document_id, owner)
        return Analysis.model_validate(row.requirements).requirements if row.requirements else ()

    async def discard(self, document_id: str, owner: str) -> None:
        """Deletes a document whose task could not be submitted. Raises NotFound."""
        await self._change(document_id, owner, {"is_deleted": True}, true())

    async def _change(
        self, document_id: str, owner: str, changes: dict[str, Any], condition: ColumnElement[bool]
    ) -> RequirementDocument:
        """The document, which is changed if it meets the condition."""
        async with self._database.transaction() as session:
            row = _require(await session.scalar(_own(document_id, owner).with_for_update()))
            of_row = RequirementDocument.id == document_id
            if await session.scalar(select(RequirementDocument.id).where(of_row, condition)):
                for name, value in changes.items():
                    setattr(row, name, value)
                row.version += 1
            return row


def _own(document_id: str, owner: str) -> Select[RequirementDocument]:
    return (
        select(RequirementDocument)
        .where(
            RequirementDocument.id == document_id,
            RequirementDocument.owner == owner,
            ~RequirementDocument.is_deleted,
        )
        .options(*(undefer(getattr(RequirementDocument, name)) for name in LONG_COLUMNS))
    )


def _require(row: RequirementDocument | None) -> RequirementDocument:
    if row is None:
        raise NotFound("there is no such requirement document, or it belongs to somebody else")
    return row
