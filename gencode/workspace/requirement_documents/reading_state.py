"""Brings documents up to date whose tasks ended without reading them: cancelled in the queue, or failed by a
crash. A task writes into its document while it runs; what ends it otherwise does not."""

from __future__ import annotations

from starlette.requests import Request

from gencode.domain.errors import NotFound
from gencode.domain.task import State, Task
from gencode.engine.ports.store import TaskQuery
from gencode.http.dependencies import get_extension, get_principal, get_services
from gencode.workspace.requirement_documents.documents import RequirementDocuments
from gencode.workspace.workspace import Workspace

AT_ONCE = 50


async def bring_up_to_date(request: Request) -> None:
    """For the documents of the request's principal."""
    documents = RequirementDocuments(get_extension(request, Workspace).database)
    principal = get_principal(request).id
    for document_id, task_id in await documents.unfinished(principal, AT_ONCE):
        query = TaskQuery(id=task_id, principal=principal, limit=1)
        tasks = await get_services(request).store.find(query) if task_id else []
        code, message = _outcome(tasks[0] if tasks else None)
        if message:
            try:
                await documents.fail(document_id, principal, task_id, code, message)
            except NotFound:
                continue


def _outcome(task: Task | None) -> tuple[str, str]:
    """Code and message of a task that did not read its document; "" for one that still may."""
    if task is None:
        return "NOT_FOUND", "no task reads the file, or it is not stored any more: parse the document again"
    if task.state is State.FAILED and task.failure:
        return task.failure.code, task.failure.message
    if task.state is State.CANCELLED:
        return "CANCELLED", "the reading of the file was cancelled: parse the document again"
    return "", ""
