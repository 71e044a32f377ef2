"""Documents and chunks as the API shows them."""

from __future__ import annotations

from typing import Any

from gencode.domain.task import rfc3339
from gencode.http.base_models import Moment, ResponseModel
from gencode.retrieval.records import Chunk
from gencode.workspace.knowledge_bases.tables import (
    DocumentFormat,
    DocumentSource,
    KnowledgeDocument,
    ProcessingStatus,
)


class DocumentNote(ResponseModel):
    """What the text of a document lacks, in two languages."""

    en: str
    zh: str


class KnowledgeDocumentView(ResponseModel):
    """size               bytes
    content_hash       the SHA-256 of its bytes
    processing_status  pending, processing, completed, failed: then error_code and error_message say why
    progress           percent
    task_id            of the task that indexes it, or has done so
    repository_id      of a file of a Git repository; commit_id: the newest indexed commit that has it
    """

    id: str
    knowledge_base_id: str
    name: str
    source: DocumentSource
    format: DocumentFormat
    size: int
    content_hash: str
    characters: int
    pages: int
    chunk_count: int
    processing_status: ProcessingStatus
    progress: int
    error_code: str | None
    error_message: str | None
    warnings: list[DocumentNote]
    task_id: str | None
    repository_id: str | None
    commit_id: str | None
    created_at: Moment
    updated_at: Moment


class KnowledgeDocumentPage(ResponseModel):
    items: list[KnowledgeDocumentView]
    next_cursor: str | None


class KnowledgeChunkView(ResponseModel):
    """start, end  of the chunk within the document's text, in characters
    page        on which it starts, from 1; null: the document has no pages
    """

    ordinal: int
    start: int
    end: int
    page: int | None
    sha256: str
    text: str


class KnowledgeChunkPage(ResponseModel):
    """`total`: chunks of the document."""

    items: list[KnowledgeChunkView]
    total: int


_COLUMNS = (
    *("id", "name", "size", "content_hash", "characters", "pages", "chunk_count", "progress"),
    *("error_code", "error_message", "task_id", "repository_id", "commit_id"),
)


def document_view(row: KnowledgeDocument) -> KnowledgeDocumentView:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    return KnowledgeDocumentView(
        **columns,
        knowledge_base_id=row.base_id,
        source=DocumentSource(row.source),
        format=DocumentFormat(row.format),
        processing_status=ProcessingStatus(row.processing_status),
        warnings=[DocumentNote(en=one["en"], zh=one["zh"]) for one in row.warnings],
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
    )


def chunk_view(chunk: Chunk) -> KnowledgeChunkView:
    return KnowledgeChunkView(
        ordinal=chunk.ordinal,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        sha256=chunk.sha256,
        text=chunk.text,
    )
