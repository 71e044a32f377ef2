"""The stage `reading`: the text of a document."""

from __future__ import annotations

from gencode.documents.document import Document
from gencode.documents.extractor import DocumentExtractor
from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.index.repository_reading import RepositoryReading
from gencode.pipelines.index.work import IndexWork
from gencode.workspace.knowledge_bases.documents import StoredText
from gencode.workspace.knowledge_bases.errors import DocumentDeleted
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.tables import KnowledgeDocument


class Reading:
    """A repetition reads the file again, with the same outcome."""

    def __init__(
        self, knowledge: KnowledgeBases, extractor: DocumentExtractor, repositories: RepositoryReading
    ) -> None:
        self._knowledge = knowledge
        self._extractor = extractor
        self._repositories = repositories

    async def __call__(self, work: IndexWork, emit: Emit) -> IndexWork:
        """Raises DocumentDeleted, DocumentError, DocumentReaderFailed, and what RepositoryReading raises."""
        if work.repository_id:
            return await self._repositories(work, emit)
        row = await document_of(self._knowledge, work)
        if row.upload_id and await self._knowledge.documents.text(row.id) is None:
            document = await self._read(row, row.upload_id, work.principal)
            await self._knowledge.documents.store_text(row.id, _text(document), _notes(document))
            await emit(_told(row, document))
        return work

    async def _read(self, row: KnowledgeDocument, upload_id: str, owner: str) -> Document:
        try:
            data = await self._knowledge.workspace.uploads.read(upload_id, owner)
        except NotFound:
            raise DocumentDeleted("the file of the document is not there any more: upload it again") from None
        return await self._extractor.extract(row.name, data)


async def document_of(knowledge: KnowledgeBases, work: IndexWork) -> KnowledgeDocument:
    """The task's document. Raises DocumentDeleted."""
    try:
        base = await knowledge.own_base(work.base_id, work.principal)
        return await knowledge.documents.get(base.id, work.document_id or "")
    except NotFound:
        raise DocumentDeleted("the document, or its knowledge base, was deleted meanwhile") from None


def _text(document: Document) -> StoredText:
    starts = [section.start for section in document.sections if section.page is not None]
    return StoredText(text=document.text, page_starts=starts)


def _notes(document: Document) -> list[dict[str, str]]:
    return [{"en": warning.message("en"), "zh": warning.message("zh")} for warning in document.warnings]


def _told(row: KnowledgeDocument, document: Document) -> StageUpdate:
    counts = document.counts
    data = {"document_id": row.id, "name": row.name, "characters": counts.characters, "pages": counts.pages}
    notes = [warning.code.value for warning in document.warnings]
    return StageUpdate(kind="document_read", data={**data, "warnings": notes})
