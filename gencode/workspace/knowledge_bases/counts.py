"""The counts of a base follow from its documents, and the states of documents from their tasks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gencode.workspace.knowledge_bases.tables import KnowledgeBase, KnowledgeDocument, ProcessingStatus
from gencode.workspace.task_rows import TaskRows

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


async def _recount_bases_of(session: AsyncSession, task_id: str) -> None:
    of_task = select(KnowledgeDocument.base_id).where(KnowledgeDocument.task_id == task_id).distinct()
    for base_id in (await session.scalars(of_task)).all():
        await recount(session, base_id)


def _owned(principal: str) -> ColumnElement[bool]:
    return KnowledgeDocument.base_id.in_(select(KnowledgeBase.id).where(KnowledgeBase.owner == principal))


INDEX_TASKS = TaskRows(
    table=KnowledgeDocument,
    open=OPEN,
    failed=ProcessingStatus.FAILED.value,
    owned=_owned,
    status="processing_status",
    text="error_message",
    after=_recount_bases_of,
)
