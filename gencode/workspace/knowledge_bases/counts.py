"""The counts of a base, which follow from its documents."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeDocument, ProcessingStatus

OPEN = (ProcessingStatus.PENDING.value, ProcessingStatus.PROCESSING.value)
"""Of documents that a task has still to index."""
MAX_DOCUMENTS = 2_000
MAX_BYTES = 2**30
MAX_CHUNKS = 20_000
"""Of a base. The vectors of so many fit the index's cache."""


async def recount(session: AsyncSession, base_id: str) -> None:
    """Counts the documents of a base again, after one of them has changed in this transaction."""
    await session.flush()
    status, mine = KnowledgeDocument.processing_status, _alive(base_id)
    first_open = select(func.min(KnowledgeDocument.created_at)).where(*mine, status.in_(OPEN))
    counted = select(
        func.count(),
        func.coalesce(func.sum(case((status.in_(OPEN), 1), else_=0)), 0),
        func.coalesce(func.sum(case((status == ProcessingStatus.FAILED.value, 1), else_=0)), 0),
        func.coalesce(func.sum(KnowledgeDocument.chunk_count), 0),
        func.coalesce(func.sum(KnowledgeDocument.size), 0),
    ).where(*mine)
    documents, pending, failed, chunks, size = (await session.execute(counted)).one()
    closed = [*mine, status.not_in(OPEN)]
    if (until := await session.scalar(first_open)) is not None:
        closed.append(KnowledgeDocument.created_at < until)
    values = {
        "document_count": documents,
        "pending_count": pending,
        "failed_count": failed,
        "chunk_count": chunks,
        "total_size": int(size),
        "indexed_until": await session.scalar(select(func.max(KnowledgeDocument.created_at)).where(*closed)),
        "updated_at": KnowledgeBase.updated_at,
    }
    await session.execute(
        update(KnowledgeBase)
        .where(KnowledgeBase.id == base_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _alive(base_id: str) -> tuple[ColumnElement[bool], ...]:
    return (KnowledgeDocument.base_id == base_id, ~KnowledgeDocument.is_deleted)
