"""Documents that are files of a Git repository: one task adds, indexes and replaces all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.phrase import Phrase
from gencode.workspace.database import Database
from gencode.workspace.knowledge_bases.counts import (
    INDEX_TASKS,
    MAX_BYTES,
    MAX_DOCUMENTS,
    OPEN,
    recount,
)
from gencode.workspace.knowledge_bases.documents import locked_base, new_row
from gencode.workspace.knowledge_bases.documents import typed_document as _typed
from gencode.workspace.knowledge_bases.errors import KnowledgeBaseFull
from gencode.workspace.knowledge_bases.tables import (
    DocumentFormat,
    DocumentSource,
    KnowledgeDocument,
    KnowledgeRemoval,
    KnowledgeText,
    ProcessingStatus,
)
from gencode.workspace.task_rows import TaskVersion

_PROCESSING, _FAILED = ProcessingStatus.PROCESSING.value, ProcessingStatus.FAILED.value


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryFile:
    path: str
    text: str
    format: DocumentFormat

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryVersion:
    """Which files a task indexes, and into which base."""

    base_id: str
    task: TaskVersion
    repository_id: str
    commit_id: str


class RepositoryDocuments:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, version: RepositoryVersion, files: Sequence[RepositoryFile]) -> list[str]:
        """Adds the files that the base does not have with this content; returns the paths of those that it
        has from elsewhere. Raises KnowledgeBaseFull, NotFound."""
        elsewhere = []
        async with self._database.transaction() as session:
            base = await locked_base(session, version.base_id)
            known = await _known(session, version.base_id, [file.content_hash for file in files])
            added, size = 0, 0
            for file in files:
                if row := known.get(file.content_hash):
                    if (row.repository_id, row.name) == (version.repository_id, file.path[:255]):
                        _keep(row, version)
                    else:
                        elsewhere.append(file.path)
                    continue
                row = known[file.content_hash] = _new(version, file)
                session.add_all([row, KnowledgeText(document_id=row.id, text=file.text)])
                added, size = added + 1, size + row.size
            if base.document_count + added > MAX_DOCUMENTS or base.total_size + size > MAX_BYTES:
                raise KnowledgeBaseFull(
                    Phrase(
                        "with the files of the repository, the base would have over {max_documents} "
                        "documents or {max_bytes} bytes: use another one",
                        max_documents=MAX_DOCUMENTS,
                        max_bytes=MAX_BYTES,
                    )
                )
            await recount(session, version.base_id)
        return elsewhere

    async def open_ids(self, base_id: str, task_id: str) -> list[str]:
        """Of the documents that the task has still to index."""
        query = select(KnowledgeDocument.id).where(
            *_of_task(base_id, task_id), KnowledgeDocument.processing_status.in_(OPEN)
        )
        async with self._database.transaction() as session:
            return list(await session.scalars(query.order_by(KnowledgeDocument.name)))

    async def indexed(self, base_id: str, chunks: Mapping[str, int], progress: int) -> None:
        """`chunks`: how many each document has in the index."""
        async with self._database.transaction() as session:
            for document_id, count in chunks.items():
                await _set(
                    session, (KnowledgeDocument.id == document_id,), chunk_count=count, progress=progress
                )
            await recount(session, base_id)

    async def resumed(self, base_id: str, task: TaskVersion) -> None:
        """The task runs again: what has failed with it is processed again."""
        is_older = KnowledgeDocument.task_version < task.version
        values = {"processing_status": _PROCESSING, "task_version": task.version, **_NO_ERROR}
        await self._change(base_id, task.id, (_FAILED, *OPEN), is_older, **values)

    async def completed(self, base_id: str, task_id: str) -> None:
        status = ProcessingStatus.COMPLETED.value
        await self._change(base_id, task_id, OPEN, processing_status=status, progress=100, **_NO_ERROR)

    async def failed(self, base_id: str, task: TaskVersion, code: str, message: str) -> list[str]:
        """The documents that have failed with the task."""
        ids = await self.open_ids(base_id, task.id)
        values = {"processing_status": _FAILED, "error_code": code, "error_message": message}
        await self._change(base_id, task.id, OPEN, INDEX_TASKS.may_go_on(task), **values)
        return ids

    async def delete_others(self, version: RepositoryVersion) -> None:
        """Hides the files of the repository that the commit does not have, and leaves notes for the index."""
        stale = select(KnowledgeDocument).where(
            KnowledgeDocument.base_id == version.base_id,
            KnowledgeDocument.repository_id == version.repository_id,
            KnowledgeDocument.commit_id != version.commit_id,
            ~KnowledgeDocument.is_deleted,
        )
        async with self._database.transaction() as session:
            for row in await session.scalars(stale):
                row.is_deleted = True
                session.add(KnowledgeRemoval(base_id=version.base_id, document_id=row.id))
            await recount(session, version.base_id)

    async def _change(
        self, base_id: str, task_id: str, statuses: Sequence[str], *more: ColumnElement[bool], **values: Any
    ) -> None:
        conditions = (*_of_task(base_id, task_id), KnowledgeDocument.processing_status.in_(statuses), *more)
        async with self._database.transaction() as session:
            await _set(session, conditions, **values)
            await recount(session, base_id)


_NO_ERROR: Mapping[str, Any] = {"error_code": None, "error_message": None}


def _of_task(base_id: str, task_id: str) -> tuple[Any, ...]:
    return (
        KnowledgeDocument.base_id == base_id,
        KnowledgeDocument.task_id == task_id,
        ~KnowledgeDocument.is_deleted,
    )


async def _set(session: AsyncSession, conditions: tuple[Any, ...], **values: Any) -> None:
    changed = update(KnowledgeDocument).where(*conditions).values(values)
    await session.execute(changed.execution_options(synchronize_session=False))


async def _known(session: AsyncSession, base_id: str, hashes: Sequence[str]) -> dict[str, KnowledgeDocument]:
    query = select(KnowledgeDocument).where(
        KnowledgeDocument.base_id == base_id,
        KnowledgeDocument.content_hash.in_(hashes),
        ~KnowledgeDocument.is_deleted,
    )
    return {row.content_hash: row for row in await session.scalars(query)}


def _keep(row: KnowledgeDocument, version: RepositoryVersion) -> None:
    """The commit has the file as it was."""
    row.commit_id = version.commit_id
    if row.processing_status != ProcessingStatus.COMPLETED:
        row.processing_status = _PROCESSING
        row.task_id, row.task_version = version.task.id, version.task.version


def _new(version: RepositoryVersion, file: RepositoryFile) -> KnowledgeDocument:
    row = new_row(version.base_id, _typed(file.path[:255], file.text, file.format))
    row.source = DocumentSource.REPOSITORY.value
    row.repository_id, row.commit_id = version.repository_id, version.commit_id
    row.task_id, row.task_version = version.task.id, version.task.version
    row.processing_status, row.error_code, row.error_message = _PROCESSING, None, None
    return row
