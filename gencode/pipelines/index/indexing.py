"""The stage `indexing`: texts become chunks in the index, each document in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gencode.domain.errors import NotFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.pipelines.index.reading import document_of
from gencode.pipelines.index.work import IndexWork
from gencode.resilience.thread_offload import run_on_text
from gencode.retrieval.chunking import CHUNKER, split_document
from gencode.retrieval.records import DocumentEntry, IndexedDocument, text_digest
from gencode.workspace.knowledge_bases.counts import MAX_CHUNKS
from gencode.workspace.knowledge_bases.documents import StoredText
from gencode.workspace.knowledge_bases.errors import DocumentDeleted, KnowledgeBaseFull
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.tables import DocumentFormat, KnowledgeDocument

AT_ONCE = 20
"""Files of a repository whose chunks come into the index together."""
INDEXED_PERCENT = 30
"""How far a document is whose chunks are in the index."""


class Indexing:
    def __init__(self, knowledge: KnowledgeBases) -> None:
        self._knowledge = knowledge

    async def __call__(self, work: IndexWork, emit: Emit) -> IndexWork:
        """Raises DocumentDeleted, KnowledgeBaseFull, UnusableText."""
        if work.repository_id:
            return await self._repository(work, emit)
        if work.document_id is None:
            return await self._whole_base(work, emit)
        document = await document_of(self._knowledge, work)
        chunks = await self.put(document)
        await emit(_told(document, chunks, work.chunks or chunks))
        return replace(work, chunks=chunks)

    async def put(self, document: KnowledgeDocument) -> int:
        """Puts a document into the index, unless it is there, and returns the number of its chunks. A process
        that is killed leaves all of it or nothing. Raises the errors of the stage."""
        knowledge, stored = self._knowledge, await self._knowledge.documents.text(document.id)
        if stored is None:
            raise DocumentDeleted("the text of the document is not there any more: add it again")
        form = DocumentFormat(document.format)
        split = await run_on_text(len(stored.text), _split, document.id, stored, form)
        async with knowledge.changing(document.base_id):
            await self._check_room(document, len(split.chunks))
            await knowledge.index.apply(document.base_id, put=[split])
            progress = max(document.progress, INDEXED_PERCENT)
            await knowledge.documents.indexed(document.id, len(split.chunks), progress)
            await self._require_present(document)
        return len(split.chunks)

    async def _repository(self, work: IndexWork, emit: Emit) -> IndexWork:
        """The files, some in a transaction."""
        work = replace(work, chunks=0)
        ids = await self._knowledge.repository_documents.open_ids(work.base_id, work.task_id)
        for start in range(0, len(ids), AT_ONCE):
            work = replace(work, chunks=work.chunks + await self._files(work, ids[start : start + AT_ONCE]))
            data = {"files": min(start + AT_ONCE, len(ids)), "of": len(ids), "chunks": work.chunks}
            await emit(StageUpdate(kind="files_indexed", data=data, result={"chunk_count": work.chunks}))
        return work

    async def _files(self, work: IndexWork, ids: Sequence[str]) -> int:
        """How many chunks they have."""
        knowledge, put = self._knowledge, []
        for document_id in ids:
            document = await document_of(knowledge, replace(work, document_id=document_id))
            if stored := await knowledge.documents.text(document_id):
                form = DocumentFormat(document.format)
                put.append(await run_on_text(len(stored.text), _split, document_id, stored, form))
        counts = {split.id: len(split.chunks) for split in put}
        async with knowledge.changing(work.base_id):
            state = await knowledge.index.state(work.base_id)
            if state.chunks + sum(counts.values()) > MAX_CHUNKS:
                raise KnowledgeBaseFull(
                    Phrase(
                        "the base would have more than {max_chunks} chunks: use another base",
                        max_chunks=MAX_CHUNKS,
                    )
                )
            await knowledge.index.apply(work.base_id, put=put)
            await knowledge.repository_documents.indexed(work.base_id, counts, INDEXED_PERCENT)
            if not await knowledge.exists(work.base_id):
                await knowledge.index.drop(work.base_id)
                raise DocumentDeleted("the knowledge base was deleted meanwhile")
        return sum(counts.values())

    async def _whole_base(self, work: IndexWork, emit: Emit) -> IndexWork:
        """What the index lacks, or has from another version of the splitter."""
        known = {entry.id: entry for entry in await self._knowledge.index.documents(work.base_id)}
        for document_id in await self._knowledge.documents.completed_ids(work.base_id):
            document = await document_of(self._knowledge, replace(work, document_id=document_id))
            if await self._is_current(known.get(document_id), document_id):
                continue
            chunks = await self.put(document)
            work = replace(work, chunks=work.chunks + chunks)
            await emit(_told(document, chunks, work.chunks))
        return work

    async def _is_current(self, entry: DocumentEntry | None, document_id: str) -> bool:
        if entry is None or entry.chunker != CHUNKER:
            return False
        stored = await self._knowledge.documents.text(document_id)
        return stored is not None and text_digest(stored.text) == entry.sha256

    async def _check_room(self, document: KnowledgeDocument, chunks: int) -> None:
        state = await self._knowledge.index.state(document.base_id)
        if state.chunks - document.chunk_count + chunks > MAX_CHUNKS:
            raise KnowledgeBaseFull(
                Phrase(
                    "the document has {chunks} chunks, and the base would have more than "
                    "{max_chunks}: use another base, or delete some documents",
                    chunks=chunks,
                    max_chunks=MAX_CHUNKS,
                )
            )

    async def _require_present(self, document: KnowledgeDocument) -> None:
        """A document that was deleted while its chunks were written is removed again."""
        knowledge = self._knowledge
        if not await knowledge.exists(document.base_id):
            await knowledge.index.drop(document.base_id)
            raise DocumentDeleted("the knowledge base was deleted meanwhile")
        try:
            await knowledge.documents.get(document.base_id, document.id)
        except NotFound:
            await knowledge.index.apply(document.base_id, remove=[document.id])
            raise DocumentDeleted("the document was deleted meanwhile") from None


def _split(document_id: str, stored: StoredText, form: DocumentFormat) -> IndexedDocument:
    return split_document(document_id, stored.text, form=form.value, page_starts=stored.page_starts)


def _told(document: KnowledgeDocument, chunks: int, total: int) -> StageUpdate:
    data = {"document_id": document.id, "name": document.name, "chunks": chunks}
    return StageUpdate(kind="document_indexed", data=data, result={"chunk_count": total})
