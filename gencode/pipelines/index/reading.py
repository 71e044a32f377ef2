"""The stage `reading`: the text of a document."""

from __future__ import annotations

from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit
from gencode.pipelines.index.work import IndexWork
from gencode.workspace.knowledge_bases.errors import DocumentDeleted
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.tables import KnowledgeDocument


class Reading:
    def __init__(self, knowledge: KnowledgeBases) -> None:
        self._knowledge = knowledge

    async def __call__(self, work: IndexWork, emit: Emit) -> IndexWork:
        """Raises DocumentDeleted."""
        document = await document_of(self._knowledge, work)
        await self._knowledge.documents.processing(document.id, work.task_id, 0)
        return work


async def document_of(knowledge: KnowledgeBases, work: IndexWork) -> KnowledgeDocument:
    """The task's document. Raises DocumentDeleted."""
    try:
        base = await knowledge.own_base(work.base_id, work.principal)
        return await knowledge.documents.get(base.id, work.document_id or "")
    except NotFound:
        raise DocumentDeleted("the document, or its knowledge base, was deleted meanwhile") from None
