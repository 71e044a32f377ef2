"""Documents whose tasks have ended without saying so."""

from __future__ import annotations

from starlette.requests import Request

from gencode.http.dependencies import get_extension, get_services
from gencode.workspace.knowledge_bases.counts import INDEX_TASKS
from gencode.workspace.knowledge_bases.tables import KnowledgeDocument
from gencode.workspace.workspace import Workspace


async def settle_documents(request: Request, base_id: str) -> None:
    """To be called before the documents of a base are read; also a reader of a public base may do so. Raises
    StoreError."""
    database, tasks = get_extension(request, Workspace).database, get_services(request).store
    await INDEX_TASKS.settle(database, tasks, KnowledgeDocument.base_id == base_id)
