"""The documents of knowledge bases: rows, texts, and their states while a task indexes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.workspace.audit.log import AuditLog, Change
from gencode.workspace.database import Database
from gencode.workspace.identity.actor import Actor
from gencode.workspace.knowledge_bases.counts import (
    INDEX_TASKS,
    MAX_BYTES,
    MAX_DOCUMENTS,
    OPEN,
    recount,
)
from gencode.workspace.knowledge_bases.errors import KnowledgeBaseFull
from gencode.workspace.knowledge_bases.tables import (
    DocumentFormat,
    DocumentSource,
    KnowledgeBase,
    KnowledgeDocument,
    KnowledgeRemoval,
    KnowledgeText,
    ProcessingStatus,
)
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.names import extension_of
from gencode.workspace.uploads.table import Upload

NOT_QUEUED = "NOT_QUEUED"
"""The code of a document for which no task was stored."""
_NO_TASK = "no task was stored for this document: have it indexed again"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """text    of a document that is typed; None: a task reads the uploaded file
    upload  that file, not stored yet
    """

    name: str
    source: DocumentSource
    format: DocumentFormat
    size: int
    content_hash: str
    text: str | None = None
    upload: Upload | None = None


def typed_document(name: str, text: str, form: DocumentFormat) -> NewDocument:
    data = text.encode()
    return NewDocument(
        name=name,
        source=DocumentSource.TEXT,
        format=form,
        size=len(data),
        content_hash=hashlib.sha256(data).hexdigest(),
        text=text,
    )


def uploaded_document(upload: Upload) -> NewDocument:
    is_plain = extension_of(upload.name) == ".txt"
    return NewDocument(
        name=upload.name,
        source=DocumentSource.UPLOAD,
        format=DocumentFormat.TEXT if is_plain else DocumentFormat.MARKDOWN,
        size=upload.size,
        content_hash=upload.sha256,
        upload=upload,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredText:
    text: str
    page_starts: Sequence[int]


class Documents:
    """Rows of documents. Whether a principal may see a base is checked before."""

    def __init__(self, database: Database, audit: AuditLog) -> None:
        self._database = database
        self._audit = audit

    async def add(
        self, base: KnowledgeBase, new: NewDocument, actor: Actor
    ) -> tuple[KnowledgeDocument, bool]:
        """The document, and whether it is new: a base has each content once. Raises KnowledgeBaseFull,
        NotFound."""
        async with self._database.transaction() as session:
            locked = await locked_base(session, base.id)
            known = (*_of(base.id), KnowledgeDocument.content_hash == new.content_hash)
            if found := await session.scalar(select(KnowledgeDocument).where(*known)):
                return found, False
            _check_room(locked, new)
            row = new_row(base.id, new)
            session.add(row)
            if new.upload is not None:
                session.add(new.upload)
            if new.text is not None:
                session.add(KnowledgeText(document_id=row.id, text=new.text))
            await recount(session, base.id)
            await self._record(session, actor, "created", row, {}, {"name": row.name, "size": row.size})
        return row, True

    async def get(self, base_id: str, document_id: str) -> KnowledgeDocument:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            return await _one(session, base_id, document_id)

    async def page(
        self, base_id: str, limit: int, after: tuple[datetime, str] | None, status: str | None
    ) -> Sequence[KnowledgeDocument]:
        """In the order in which they were added; one more than the limit, if there are more."""
        at, row_id = KnowledgeDocument.created_at, KnowledgeDocument.id
        conditions = [*_of(base_id)]
        if status:
            conditions.append(KnowledgeDocument.processing_status == status)
        if after:
            conditions.append(or_(at > after[0], and_(at == after[0], row_id > after[1])))
        query = select(KnowledgeDocument).where(*conditions).order_by(at, row_id).limit(limit + 1)
        async with self._database.transaction() as session:
            return (await session.scalars(query)).all()

    async def completed_ids(self, base_id: str) -> list[str]:
        """In the order in which they were added."""
        return await self._ids(base_id, ProcessingStatus.COMPLETED)

    async def failed_ids(self, base_id: str) -> list[str]:
        return await self._ids(base_id, ProcessingStatus.FAILED)

    async def _ids(self, base_id: str, status: ProcessingStatus) -> list[str]:
        has_status = KnowledgeDocument.processing_status == status.value
        query = (
            select(KnowledgeDocument.id)
            .where(*_of(base_id), has_status)
            .order_by(KnowledgeDocument.created_at, KnowledgeDocument.id)
        )
        async with self._database.transaction() as session:
            return list(await session.scalars(query))

    async def unfinished(
        self, base_ids: Sequence[str], limit: int
    ) -> tuple[Sequence[KnowledgeDocument], int]:
        """Those that are not indexed, or not yet: the first ones, and how many there are."""
        conditions = (
            KnowledgeDocument.base_id.in_(base_ids),
            ~KnowledgeDocument.is_deleted,
            KnowledgeDocument.processing_status != ProcessingStatus.COMPLETED.value,
        )
        order = (KnowledgeDocument.created_at, KnowledgeDocument.id)
        query = select(KnowledgeDocument).where(*conditions).order_by(*order).limit(limit)
        counted = select(func.count()).select_from(KnowledgeDocument).where(*conditions)
        async with self._database.transaction() as session:
            return (await session.scalars(query)).all(), await session.scalar(counted) or 0

    async def named(self, document_ids: Sequence[str]) -> Mapping[str, KnowledgeDocument]:
        """By id, without what was deleted or has failed: the index may still have it for a moment."""
        query = select(KnowledgeDocument).where(
            KnowledgeDocument.id.in_(document_ids),
            ~KnowledgeDocument.is_deleted,
            KnowledgeDocument.processing_status != ProcessingStatus.FAILED.value,
        )
        async with self._database.transaction() as session:
            return {row.id: row for row in await session.scalars(query)}

    async def delete(self, base_id: str, document_id: str, actor: Actor) -> KnowledgeDocument:
        """Hides the document at once, and leaves a note for the index. Raises NotFound."""
        async with self._database.transaction() as session:
            row = await _one(session, base_id, document_id, lock=True)
            row.is_deleted = True
            session.add(KnowledgeRemoval(base_id=base_id, document_id=document_id))
            await recount(session, base_id)
            await self._record(session, actor, "deleted", row, {"name": row.name}, {})
        return row

    # --- the states of a document ------------------------------------------------------------------------

    async def queued(self, document_id: str, task_id: str) -> None:
        """A task was stored for a document that waits for one, unless it has begun meanwhile."""
        values = {"processing_status": ProcessingStatus.PENDING.value, "progress": 0, **_NO_ERROR}
        values |= INDEX_TASKS.at(TaskVersion(id=task_id, version=0))
        has_failed = KnowledgeDocument.processing_status == ProcessingStatus.FAILED.value
        is_new = KnowledgeDocument.task_id.is_distinct_from(task_id)
        await self._update(document_id, values, has_failed, is_new)

    async def processing(self, document_id: str, task: TaskVersion) -> None:
        """A stage of a task begins, or is retried."""
        status = ProcessingStatus.PROCESSING.value
        is_new = or_(
            KnowledgeDocument.processing_status != status,
            KnowledgeDocument.task_id.is_distinct_from(task.id),
            KnowledgeDocument.task_version != task.version,
        )
        values = {"processing_status": status, **INDEX_TASKS.at(task), **_NO_ERROR}
        await self._update(document_id, values, is_new, INDEX_TASKS.may_begin(task))

    async def completed(self, document_id: str) -> None:
        status = ProcessingStatus.COMPLETED.value
        await self._update(document_id, {"processing_status": status, "progress": 100, **_NO_ERROR})

    async def failed(self, document_id: str, task: TaskVersion, code: str, message: str) -> bool:
        """Unless the document is indexed, or by another task. Whether it has failed now."""
        values = {
            "processing_status": ProcessingStatus.FAILED.value,
            "error_code": code,
            "error_message": message,
        }
        is_open = KnowledgeDocument.processing_status.in_(OPEN)
        return await self._update(document_id, values, is_open, INDEX_TASKS.may_go_on(task))

    async def indexed(self, document_id: str, chunks: int, progress: int) -> None:
        """Its chunks are in the index. `progress`: percent."""
        await self._update(document_id, {"chunk_count": chunks, "progress": progress})

    async def progressed(self, document_id: str, progress: int) -> None:
        await self._update(document_id, {"progress": progress})

    async def store_text(
        self, document_id: str, stored: StoredText, warnings: Sequence[Mapping[str, str]]
    ) -> None:
        """The text that was read from an uploaded file."""
        values = {
            "characters": len(stored.text),
            "pages": len(stored.page_starts),
            "warnings": [dict(warning) for warning in warnings],
        }
        async with self._database.transaction() as session:
            await session.merge(
                KnowledgeText(document_id=document_id, text=stored.text, page_starts=list(stored.page_starts))
            )
            await session.execute(_change(document_id, values))

    async def text(self, document_id: str) -> StoredText | None:
        """None until it is read."""
        async with self._database.transaction() as session:
            row = await session.get(KnowledgeText, document_id)
            return StoredText(text=row.text, page_starts=row.page_starts) if row else None

    async def _update(self, document_id: str, values: Mapping[str, Any], *conditions: Any) -> bool:
        """Whether the document met the conditions."""
        async with self._database.transaction() as session:
            base_id = await session.scalar(
                select(KnowledgeDocument.base_id).where(KnowledgeDocument.id == document_id)
            )
            changed: Any = await session.execute(_change(document_id, values, *conditions))
            if changed.rowcount and base_id and _COUNTED & values.keys():
                await recount(session, base_id)
            return bool(changed.rowcount)

    async def _record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        row: KnowledgeDocument,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        name = "KnowledgeDocument"
        await self._audit.append(
            session,
            Change(
                actor=actor.id,
                action=f"{name}.{action}",
                subject=f"{name}:{row.id}",
                address=actor.address,
                before=before,
                after=after,
            ),
        )


_COUNTED = {"processing_status", "chunk_count"}
"""Columns from which the counts of a base follow."""
_NO_ERROR: Mapping[str, Any] = {"error_code": None, "error_message": None}


def new_row(base_id: str, new: NewDocument) -> KnowledgeDocument:
    """A document without a task has failed: a process that is killed then leaves it so."""
    return KnowledgeDocument(
        id=str(uuid4()),
        base_id=base_id,
        name=new.name,
        source=new.source.value,
        format=new.format.value,
        size=new.size,
        content_hash=new.content_hash,
        upload_id=new.upload.id if new.upload else None,
        characters=len(new.text or ""),
        processing_status=ProcessingStatus.FAILED.value,
        error_code=NOT_QUEUED,
        error_message=_NO_TASK,
    )


def _of(base_id: str) -> tuple[Any, ...]:
    return (KnowledgeDocument.base_id == base_id, ~KnowledgeDocument.is_deleted)


def _change(document_id: str, values: Mapping[str, Any], *conditions: Any) -> Any:
    return (
        update(KnowledgeDocument)
        .where(KnowledgeDocument.id == document_id, *conditions)
        .values(values)
        .execution_options(synchronize_session=False)
    )


async def _one(
    session: AsyncSession, base_id: str, document_id: str, *, lock: bool = False
) -> KnowledgeDocument:
    query = select(KnowledgeDocument).where(*_of(base_id), KnowledgeDocument.id == document_id)
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("there is no such document in this knowledge base")
    return row


async def locked_base(session: AsyncSession, base_id: str) -> KnowledgeBase:
    query = select(KnowledgeBase).where(KnowledgeBase.id == base_id, ~KnowledgeBase.is_deleted)
    row = await session.scalar(query.with_for_update())
    if row is None:
        raise NotFound("there is no such knowledge base")
    return row


def _check_room(base: KnowledgeBase, new: NewDocument) -> None:
    if base.document_count >= MAX_DOCUMENTS:
        raise KnowledgeBaseFull(
            Phrase(
                "the base has {max_documents} documents: make another one, or delete some",
                max_documents=MAX_DOCUMENTS,
            )
        )
    if base.total_size + new.size > MAX_BYTES:
        raise KnowledgeBaseFull(
            Phrase(
                "the documents of a base have at most {max_bytes} bytes: make another base, or delete some",
                max_bytes=MAX_BYTES,
            )
        )
