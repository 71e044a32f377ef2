"""What has become of documents whose task has ended without saying so: it was cancelled, or has crashed."""

from __future__ import annotations

from collections.abc import Sequence

from gencode.domain.task import State, Task
from gencode.engine.ports.store import Store, TaskQuery
from gencode.workspace.knowledge_bases.counts import OPEN
from gencode.workspace.knowledge_bases.documents import NOT_QUEUED, Documents
from gencode.workspace.knowledge_bases.tables import KnowledgeDocument

CANCELLED = "CANCELLED"
_AGAIN = "have the document indexed again"


async def with_ends_of_tasks(
    documents: Documents, store: Store, rows: Sequence[KnowledgeDocument]
) -> Sequence[KnowledgeDocument]:
    """The rows, those of ended tasks as failed. Raises StoreError."""
    return [await _with_end(documents, store, row) for row in rows]


async def _with_end(documents: Documents, store: Store, row: KnowledgeDocument) -> KnowledgeDocument:
    if row.processing_status not in OPEN or row.task_id is None:
        return row
    found = await store.find(TaskQuery(id=row.task_id, limit=1))
    reason = _reason(found[0] if found else None)
    if reason is None:
        return row
    await documents.failed(row.id, row.task_id, *reason)
    return await documents.get(row.base_id, row.id)


def _reason(task: Task | None) -> tuple[str, str] | None:
    """Code and message; None while the task goes on."""
    if task is None:
        return NOT_QUEUED, f"the task of this document was deleted: {_AGAIN}"
    if task.state is State.CANCELLED:
        return CANCELLED, f"the task of this document was cancelled: {_AGAIN}"
    if task.failure:
        return task.failure.code, task.failure.message
    return None
