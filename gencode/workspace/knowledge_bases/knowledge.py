"""Knowledge bases as other parts of the service use them: search, verification, deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.domain.errors import Invalid, NotFound
from gencode.domain.phrase import Phrase
from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.ports.named_locks import NamedLocks
from gencode.resilience.thread_offload import run_on_text
from gencode.retrieval import citations
from gencode.retrieval.errors import EncoderIncomplete, EncoderMismatch
from gencode.retrieval.port import Encoder, RetrievalIndex
from gencode.retrieval.search import HybridSearch
from gencode.workspace.knowledge_bases.documents import Documents
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind, EncoderSpec, stored_spec
from gencode.workspace.knowledge_bases.encoders import QUERY_SECONDS, EncoderAccess, QueryEncoder
from gencode.workspace.knowledge_bases.errors import EncoderUnavailable
from gencode.workspace.knowledge_bases.repository_documents import RepositoryDocuments
from gencode.workspace.knowledge_bases.resource import KNOWLEDGE_BASES
from gencode.workspace.knowledge_bases.search_results import MAX_MISSING, cited, found
from gencode.workspace.knowledge_bases.sources import (
    KnowledgeCitation,
    KnowledgeFound,
    KnowledgeQuote,
    KnowledgeSource,
)
from gencode.workspace.knowledge_bases.tables import (
    KnowledgeBase,
    KnowledgeDocument,
    KnowledgeRemoval,
    KnowledgeText,
)
from gencode.workspace.task_rows import TaskVersion
from gencode.workspace.uploads.table import Upload
from gencode.workspace.workspace import Workspace

MAX_BASES = 20
"""Of one search."""
MAX_FOUND = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class KnowledgeBases:
    """Everything of knowledge bases, open while the service runs.

    locks  shared by the processes of a cluster; None in a single process
    """

    workspace: Workspace
    index: RetrievalIndex
    encoders: EncoderAccess = field(default_factory=EncoderAccess)
    locks: NamedLocks | None = None
    _local_locks: KeyedLocks = field(default_factory=KeyedLocks)

    @property
    def documents(self) -> Documents:
        return Documents(self.workspace.database, self.workspace.audit)

    @property
    def repository_documents(self) -> RepositoryDocuments:
        return RepositoryDocuments(self.workspace.database)

    async def base(self, base_id: str, principal: str) -> KnowledgeBase:
        """One that the principal may read. Raises NotFound."""
        return await self.workspace.resource(KNOWLEDGE_BASES).get(base_id, principal)

    async def own_base(self, base_id: str, principal: str) -> KnowledgeBase:
        """One that the principal may change. Raises NotFound."""
        row = await self.base(base_id, principal)
        if row.owner != principal:
            raise NotFound("there is no such knowledge base, or it belongs to somebody else")
        return row

    async def search_bases(
        self, principal: str, base_ids: Sequence[str], query: str, limit: int = 10, *, task_id: str = ""
    ) -> KnowledgeFound:
        """The chunks of these bases that answer a question best, at most MAX_FOUND.

        principal  the id of who asks: its own bases, and public ones. What vectors of questions cost is paid
                   by the model configs of the principal: bases of others are searched by text only, unless
                   their encoder costs nothing
        base_ids   at most MAX_BASES
        task_id    the task that asks, for the ledger

        Raises NotFound for a base that the principal may not read, Invalid for too many, and StoreError.
        """
        if len(set(base_ids)) > MAX_BASES:
            raise Invalid.of(
                "knowledge_base_ids",
                "too_long",
                Phrase("at most {max_bases} can be searched at once", max_bases=MAX_BASES),
            )
        rows = [await self.base(base_id, principal) for base_id in dict.fromkeys(base_ids)]
        encoders = [
            encoder for row in rows for encoder in await self._query_encoders(row, principal, task_id)
        ]
        ids = [row.id for row in rows]
        result = await HybridSearch(self.index, encoders).search(query, ids, limit=min(limit, MAX_FOUND))
        names = await self.documents.named([hit.chunk.document for hit in result.hits])
        unfinished = await self.documents.unfinished(ids, MAX_MISSING)
        return found(query, rows, result, names, *unfinished, principal)

    async def verify(
        self, principal: str, quotes: Sequence[KnowledgeQuote], shown: Sequence[KnowledgeSource]
    ) -> list[KnowledgeCitation]:
        """Which quotes stand in the sources that were shown, and where; one for each quote, in their order.

        shown  as `search_bases` returned them, also some time ago. A quote from a document that was changed
               or deleted since is unsupported

        Raises StoreError.
        """
        stored = {}
        for base_id in {source.knowledge_base_id for source in shown}:
            refs = [source.ref for source in shown if source.knowledge_base_id == base_id]
            if await self._is_readable(base_id, principal):
                stored.update(await self.index.find(base_id, refs))
        alive = await self.documents.named(sorted({ref.document for ref in stored}))
        current = {ref: chunk for ref, chunk in stored.items() if ref.document in alive}
        known = [quote for quote in quotes if quote.source is None or 0 <= quote.source < len(shown)]
        checked = await run_on_text(
            sum(len(source.text) for source in shown),
            citations.verify_quotes,
            [_quote(quote, shown) for quote in known],
            [source.chunk for source in shown],
            current,
        )
        return cited(quotes, known, checked, shown)

    @asynccontextmanager
    async def changing(self, base_id: str) -> AsyncIterator[None]:
        """One task at a time changes the chunks and vectors of a base: two would pay for the same vectors."""
        async with self._local_locks(base_id):
            if self.locks is None:
                yield
                return
            async with self.locks.lock(f"knowledge {base_id}"):
                yield

    async def exists(self, base_id: str) -> bool:
        async with self.workspace.database.transaction() as session:
            return await _alive(session, base_id) is not None

    async def fail(self, base_id: str, document_id: str, task: TaskVersion, code: str, message: str) -> None:
        """A document cannot be indexed: what the index has of it is removed."""
        async with self.changing(base_id):
            has_failed = await self.documents.failed(document_id, task, code, message)
            if has_failed and await self.exists(base_id):
                await self._remove(base_id, [document_id])
        await self.activate(base_id)

    async def fail_task(self, base_id: str, task: TaskVersion, code: str, message: str) -> None:
        """The files of a repository cannot be indexed: what the index has of them is removed."""
        async with self.changing(base_id):
            failed = await self.repository_documents.failed(base_id, task, code, message)
            if failed and await self.exists(base_id):
                await self._remove(base_id, failed)
        await self.activate(base_id)

    async def activate(self, base_id: str) -> bool:
        """Has searches use the encoder that was chosen, if all chunks of the base have a vector of it."""
        async with self.changing(base_id):
            async with self.workspace.database.transaction() as session:
                row = await _alive(session, base_id)
            target = stored_spec(row.target_encoder) if row else None
            if target is None or not target.dimensions:
                return False
            state = await self.index.state(base_id)
            if state.active_encoder != target.id and not await self._activated(base_id, target.id):
                return False
            await self.change_encoders(base_id, target, active=target)
        return True

    async def _activated(self, base_id: str, encoder: str) -> bool:
        """Chunks of documents that have failed since they were put into the index do not count."""
        indexed = {entry.id for entry in await self.index.documents(base_id)}
        failed = indexed.intersection(await self.documents.failed_ids(base_id))
        if failed:
            await self._remove(base_id, sorted(failed))
        try:
            await self.index.activate(base_id, encoder)
        except (EncoderIncomplete, EncoderMismatch):
            return False
        return True

    async def _remove(self, base_id: str, document_ids: Sequence[str]) -> None:
        if (await self.index.state(base_id)).documents:  # the index would make a base that it has not
            await self.index.apply(base_id, remove=document_ids)

    async def change_encoders(
        self, base_id: str, target: EncoderSpec, active: EncoderSpec | None = None
    ) -> None:
        """Stores what is known of a base's encoders, unless its owner has chosen another one meanwhile."""
        values = {"target_encoder": target.model_dump(mode="json"), "updated_at": KnowledgeBase.updated_at}
        if active:
            values["active_encoder"] = active.model_dump(mode="json")
        async with self.workspace.database.transaction() as session:
            row = await _alive(session, base_id)
            chosen = stored_spec(row.target_encoder) if row else None
            if chosen and chosen.id == target.id:
                await session.execute(
                    sql_update(KnowledgeBase)
                    .where(KnowledgeBase.id == base_id)
                    .values(values)
                    .execution_options(synchronize_session=False)
                )

    async def note_removal(self, base_id: str) -> None:
        """To be called before a base is deleted; without effect until it is."""
        async with self.workspace.database.transaction() as session:
            session.add(KnowledgeRemoval(base_id=base_id))

    async def remove_pending(self) -> None:
        """Removes from the index what was deleted, and its texts and files. Called again after a crash, it
        removes the rest."""
        is_deleted = select(KnowledgeBase.id).where(KnowledgeBase.is_deleted)
        is_due = or_(KnowledgeRemoval.document_id.is_not(None), KnowledgeRemoval.base_id.in_(is_deleted))
        async with self.workspace.database.transaction() as session:
            notes = (await session.scalars(select(KnowledgeRemoval).where(is_due))).all()
        for note in notes:
            if note.document_id is None:
                await self.index.drop(note.base_id)
            else:
                await self._remove(note.base_id, [note.document_id])
                await self.activate(note.base_id)
            async with self.workspace.database.transaction() as session:
                await session.execute(delete(KnowledgeText).where(KnowledgeText.document_id.in_(_ids(note))))
                await session.execute(delete(Upload).where(Upload.id.in_(_ids(note, "upload_id"))))
                await session.execute(delete(KnowledgeRemoval).where(KnowledgeRemoval.id == note.id))

    async def _is_readable(self, base_id: str, principal: str) -> bool:
        try:
            await self.base(base_id, principal)
        except NotFound:
            return False
        return True

    async def _query_encoders(self, row: KnowledgeBase, principal: str, task_id: str) -> list[Encoder]:
        """Of the vectors that the base has, and of those that are built: the change from one to the other may
        be under way."""
        specs = [stored_spec(row.active_encoder), stored_spec(row.target_encoder)]
        opened: list[Encoder] = []
        for spec in {one.id: one for one in specs if one}.values():
            is_free = spec.kind is EncoderKind.OFFLINE
            if not (spec.dimensions and (is_free or row.owner == principal)):
                continue
            try:
                one = await self.encoders.open(spec, row.owner, QUERY_SECONDS)
            except EncoderUnavailable:
                continue
            opened.append(QueryEncoder(one, self.workspace.ledger, principal, task_id))
        return opened


def _quote(quote: KnowledgeQuote, shown: Sequence[KnowledgeSource]) -> citations.Quote:
    source = None if quote.source is None else shown[quote.source].ref
    return citations.Quote(text=quote.text, source=source)


async def _alive(session: AsyncSession, base_id: str) -> KnowledgeBase | None:
    """Locked until the transaction ends."""
    is_alive = (KnowledgeBase.id == base_id, ~KnowledgeBase.is_deleted)
    return await session.scalar(select(KnowledgeBase).where(*is_alive).with_for_update())


def _ids(note: KnowledgeRemoval, column: str = "id") -> Select[Any]:
    """Of the documents that the note is about, or of their files."""
    query = select(getattr(KnowledgeDocument, column))
    if note.document_id is None:
        return query.where(KnowledgeDocument.base_id == note.base_id)
    return query.where(KnowledgeDocument.id == note.document_id)
