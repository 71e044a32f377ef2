"""Knowledge bases as other parts of the service use them: search, verification, deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy import update as sql_update

from gencode.domain.errors import NotFound
from gencode.engine.keyed_locks import KeyedLocks
from gencode.engine.ports.named_locks import NamedLocks
from gencode.retrieval import citations
from gencode.retrieval.port import Encoder, RetrievalIndex
from gencode.retrieval.search import HybridSearch
from gencode.workspace.knowledge_bases.documents import Documents
from gencode.workspace.knowledge_bases.encoder_spec import EncoderKind, EncoderSpec, stored_spec
from gencode.workspace.knowledge_bases.encoders import QUERY_SECONDS, EncoderAccess, QueryEncoder
from gencode.workspace.knowledge_bases.errors import EncoderUnavailable
from gencode.workspace.knowledge_bases.resource import KNOWLEDGE_BASES
from gencode.workspace.knowledge_bases.search_results import cited, found
from gencode.workspace.knowledge_bases.sources import Cited, Found, Quote, Source
from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeRemoval
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
    ) -> Found:
        """The chunks of these bases that answer a question best, at most MAX_FOUND.

        principal  the id of who asks: its own bases, and public ones. What vectors of questions cost is paid
                   by the model configs of the principal: bases of others are searched by text only, unless
                   their encoder costs nothing
        base_ids   at most MAX_BASES
        task_id    the task that asks, for the ledger

        Raises NotFound for a base that the principal may not read, and StoreError.
        """
        rows = [await self.base(base_id, principal) for base_id in dict.fromkeys(base_ids[:MAX_BASES])]
        encoders = [encoder for row in rows for encoder in await self._query_encoders(row, principal, task_id)]
        ids = [row.id for row in rows]
        result = await HybridSearch(self.index, encoders).search(query, ids, limit=min(limit, MAX_FOUND))
        names = await self.documents.named([hit.chunk.document for hit in result.hits])
        unfinished = await self.documents.unfinished(ids)
        return found(query, rows, result, names, unfinished)

    async def verify(self, principal: str, quotes: Sequence[Quote], shown: Sequence[Source]) -> list[Cited]:
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
        checked = citations.verify_quotes(
            [
                citations.Quote(text=quote.text, source=None if quote.source is None else shown[quote.source].ref)
                for quote in known
            ],
            [source.chunk for source in shown],
            current,
        )
        return cited(quotes, known, checked, shown)

    @asynccontextmanager
    async def encoding(self, base_id: str) -> AsyncIterator[None]:
        """One task at a time encodes chunks of a base: two would pay for the same ones."""
        async with self._local_locks(base_id):
            if self.locks is None:
                yield
                return
            async with self.locks.lock(f"encode {base_id}"):
                yield

    async def change_encoders(self, base: KnowledgeBase, target: EncoderSpec, active: EncoderSpec | None) -> None:
        """Stores what is known of a base's encoders, unless its owner has chosen another one meanwhile."""
        values = {"target_encoder": target.model_dump(mode="json"), "updated_at": KnowledgeBase.updated_at}
        if active:
            values["active_encoder"] = active.model_dump(mode="json")
        async with self.workspace.database.transaction() as session:
            row = await session.scalar(
                select(KnowledgeBase).where(KnowledgeBase.id == base.id).with_for_update()
            )
            chosen = stored_spec(row.target_encoder) if row else None
            if chosen and chosen.id == target.id:
                await session.execute(
                    sql_update(KnowledgeBase)
                    .where(KnowledgeBase.id == base.id)
                    .values(values)
                    .execution_options(synchronize_session=False)
                )

    async def remove_pending(self) -> None:
        """Removes from the index what was deleted. Called again after a crash, it removes the rest."""
        async with self.workspace.database.transaction() as session:
            notes = (await session.scalars(select(KnowledgeRemoval))).all()
        for note in notes:
            if note.document_id is None:
                await self.index.drop(note.base_id)
            else:
                await self.index.apply(note.base_id, remove=[note.document_id])
            async with self.workspace.database.transaction() as session:
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
