"""The stage `encoding`: chunks get their vectors, and an encoder that has all of them is activated."""

from __future__ import annotations

from gencode.domain.errors import NotFound
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.observability.metrics import Metrics
from gencode.pipelines.index.indexing import INDEXED_PERCENT, Indexing
from gencode.pipelines.index.paid_encoding import PaidEncoding
from gencode.pipelines.index.reading import document_of
from gencode.pipelines.index.work import IndexWork
from gencode.resilience.retry import Retry
from gencode.retrieval.indexing import encode_batch
from gencode.workspace.knowledge_bases.encoder_spec import EncoderSpec, stored_spec
from gencode.workspace.knowledge_bases.encoders import OpenedEncoder
from gencode.workspace.knowledge_bases.errors import DocumentDeleted
from gencode.workspace.knowledge_bases.knowledge import KnowledgeBases
from gencode.workspace.knowledge_bases.tables import KnowledgeBase

PROBE = "dimensions"
"""The text whose vector shows how long the vectors of an API are."""


class Encoding:
    def __init__(
        self, knowledge: KnowledgeBases, indexing: Indexing, metrics: Metrics, retry: Retry | None = None
    ) -> None:
        self._knowledge = knowledge
        self._indexing = indexing
        self._metrics = metrics
        self._retry = retry or Retry()

    async def __call__(self, work: IndexWork, emit: Emit) -> IndexWork:
        """Raises EncoderUnavailable, the errors of PaidEncoding, and those of Indexing: a retry puts the
        document into the index again."""
        await emit(*work.lost)
        await self._encode_all(work, emit)
        if work.repository_id:
            await self._replace(work)
            return work
        while not await self._completed(work):
            await self._indexing.put(await document_of(self._knowledge, work))
            await self._encode_all(work, emit)
        return work

    async def _replace(self, work: IndexWork) -> None:
        """The files of the commit take the place of those that it does not have."""
        documents = self._knowledge.repository_documents
        async with self._knowledge.changing(work.base_id):
            await documents.completed(work.base_id, work.task_id)
            await documents.delete_others(work.version)
        await self._knowledge.remove_pending()

    async def _encode_all(self, work: IndexWork, emit: Emit) -> None:
        """Once more if the owner chooses another encoder meanwhile."""
        is_done = False
        while not is_done:
            base = await self._base(work)
            spec = stored_spec(base.target_encoder)
            is_done = spec is None or await self._encode(work, emit, base, spec)
        await self._knowledge.activate(work.base_id)

    async def _base(self, work: IndexWork) -> KnowledgeBase:
        try:
            return await self._knowledge.own_base(work.base_id, work.principal)
        except NotFound:
            raise DocumentDeleted("the knowledge base was deleted meanwhile") from None

    async def _encode(self, work: IndexWork, emit: Emit, base: KnowledgeBase, spec: EncoderSpec) -> bool:
        """Whether all vectors are there; False if another encoder was chosen meanwhile."""
        opened = await self._knowledge.encoders.open(spec, base.owner)
        calls = self._calls(opened, work, emit)
        if not spec.dimensions:
            spec = await self._measured(calls, base, spec)
            opened = await self._knowledge.encoders.open(spec, base.owner)
            calls.use(opened)
        index = self._knowledge.index
        await index.add_encoder(base.id, opened.encoder.info)
        encoded, total = 0, await self._total(work, base)
        while True:
            async with self._knowledge.changing(base.id), calls.batch() as encode:
                if not await self._is_wanted(work, spec):
                    return False
                batch = await encode_batch(index, base.id, opened.encoder, encode, work.document_id)
            if batch is None:
                return True
            encoded += len(batch.vectors)
            await self._tell(work, emit, encoded, max(total, encoded))

    def _calls(self, opened: OpenedEncoder, work: IndexWork, emit: Emit) -> PaidEncoding:
        ledger = self._knowledge.workspace.ledger
        return PaidEncoding(opened, work, emit, ledger, self._metrics, self._retry)

    async def _measured(self, calls: PaidEncoding, base: KnowledgeBase, spec: EncoderSpec) -> EncoderSpec:
        """One of the tasks that begin at the same time asks the API."""
        async with self._knowledge.changing(base.id), calls.batch() as encode:
            row = await self._knowledge.base(base.id, base.owner)
            known = stored_spec(row.target_encoder)
            if known and known.id == spec.id and known.dimensions:
                return known
            (vector,) = (await encode([PROBE])).vectors
            measured = spec.model_copy(update={"dimensions": len(vector) // 2})
            await self._knowledge.change_encoders(base.id, measured)
        return measured

    async def _total(self, work: IndexWork, base: KnowledgeBase) -> int:
        if work.document_id:
            return (await document_of(self._knowledge, work)).chunk_count
        return base.chunk_count

    async def _is_wanted(self, work: IndexWork, spec: EncoderSpec) -> bool:
        """Whether the encoder is still the one that the owner has chosen: each batch may cost something.
        Raises DocumentDeleted."""
        if work.document_id:
            await document_of(self._knowledge, work)
        chosen = stored_spec((await self._base(work)).target_encoder)
        return chosen is not None and chosen.id == spec.id

    async def _tell(self, work: IndexWork, emit: Emit, encoded: int, total: int) -> None:
        if work.document_id:
            percent = INDEXED_PERCENT + (99 - INDEXED_PERCENT) * encoded // total
            await self._knowledge.documents.progressed(work.document_id, percent)
        await emit(StageUpdate(kind="chunks_encoded", data={"encoded": encoded, "total": total}))

    async def _completed(self, work: IndexWork) -> bool:
        """Marks the document as indexed; False if its chunks were removed meanwhile, because its task had
        failed before it was retried."""
        if work.document_id is None:
            return True
        async with self._knowledge.changing(work.base_id):
            document = await document_of(self._knowledge, work)
            if not await self._knowledge.index.chunks(work.base_id, document.id, limit=1):
                return False
            await self._knowledge.documents.completed(document.id)
        return True
